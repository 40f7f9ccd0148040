//! Who is connected, and what they are told.
//!
//! The hub holds no truth: it only wakes. What a connection is told it takes from what was committed, and a connection that
//! cannot keep up is cut off; it comes again and asks for what it missed.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use porchlight_domain::id::{AgentId, ChatId, ConversationId, PageViewId, SiteKey, VisitorId};
use tokio::sync::{Notify, mpsc, watch};

use crate::store::{ChatEntry, ChatNews, News};

/// How much may wait for a connection before it is cut off.
const WAITING_MAX: usize = 256;

/// What a visitor's connection is told.
#[derive(Debug, Clone)]
pub(crate) enum ToVisitor {
    /// The conversation went on.
    Changed,
    /// The agent is typing.
    Typing,
    /// The agent has seen the transcript up to a line.
    Seen(u32),
}

/// What an agent's connection is told.
#[derive(Debug, Clone)]
pub(crate) enum ToAgent {
    /// A chat is new or has changed.
    Chat(ChatId),
    /// Something was said in a chat that is theirs, or that they are asked to take.
    Said(ChatId, Arc<[ChatEntry]>),
    /// The visitor of a chat is typing.
    Typing(ChatId),
    /// The visitor of a chat has seen the transcript up to a line.
    Seen(ChatId, u32),
    /// An agent's state has changed.
    Agent(AgentId),
    /// A call back of a site is new, or was changed.
    Callbacks(SiteKey),
}

/// A visitor's conversation, as its connections are filed.
pub(crate) type Talk = (VisitorId, ConversationId);

/// Who is connected.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    inner: Arc<Mutex<Inner>>,
    /// Wakes the clock: something is due at another time than it thought.
    changed: Arc<Notify>,
    /// Wakes who sends letters.
    mail: Arc<Notify>,
    /// Wakes who reads and writes calendars elsewhere.
    calendar: Arc<Notify>,
    /// Wakes all who follow the log: it has grown.
    log: watch::Sender<()>,
    /// Wakes those who follow the log of one site.
    logs: Arc<Mutex<HashMap<SiteKey, watch::Sender<()>>>>,
    /// How many visitors were erased since the start.
    erasures: Arc<AtomicU64>,
    /// Wakes who delivers: an endpoint was made or changed, or something is to be sent again.
    webhooks: Arc<Notify>,
    /// Ends what has no end of its own: the server stops.
    stopping: watch::Sender<bool>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hub")
    }
}

#[derive(Default)]
struct Inner {
    next: u64,
    visitors: HashMap<Talk, Vec<Panel>>,
    agents: HashMap<AgentId, Vec<(u64, mpsc::Sender<ToAgent>)>>,
    /// The connections whose panels say how many wait before their visitors, by site.
    queues: HashMap<SiteKey, HashMap<u64, Talk>>,
}

/// A connection of a visitor, as it is told.
struct Panel {
    id: u64,
    connection: mpsc::Sender<ToVisitor>,
    on: Place,
}

/// Where a panel is: the load of the page, and the page's address.
pub(crate) type Place = (PageViewId, String);

/// A connection of a visitor; dropping it ends it.
pub(crate) struct VisitorConnection {
    hub: Hub,
    talk: Talk,
    id: u64,
    /// The site in whose queue it stands.
    queue: Option<SiteKey>,
    pub(crate) news: mpsc::Receiver<ToVisitor>,
}

/// A connection of an agent; dropping it ends it.
pub(crate) struct AgentConnection {
    hub: Hub,
    agent: AgentId,
    id: u64,
    pub(crate) news: mpsc::Receiver<ToAgent>,
}

impl Hub {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing that could panic holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection of a visitor.
    pub(crate) fn visitor(&self, talk: Talk, on: Place) -> VisitorConnection {
        let (connection, news) = mpsc::channel(WAITING_MAX);
        let mut inner = self.inner();
        inner.next += 1;
        let id = inner.next;
        inner.visitors.entry(talk.clone()).or_default().push(Panel { id, connection, on });
        VisitorConnection { hub: self.clone(), talk, id, queue: None, news }
    }

    /// Adds a connection of an agent.
    pub(crate) fn agent(&self, agent: AgentId) -> AgentConnection {
        let (sender, news) = mpsc::channel(WAITING_MAX);
        let mut inner = self.inner();
        inner.next += 1;
        let id = inner.next;
        inner.agents.entry(agent).or_default().push((id, sender));
        AgentConnection { hub: self.clone(), agent, id, news }
    }

    /// Whether a visitor has a connection to a conversation.
    pub(crate) fn is_here(&self, talk: &Talk) -> bool {
        self.inner().visitors.contains_key(talk)
    }

    /// Where a visitor has connections to a conversation, the latest last.
    pub(crate) fn places(&self, talk: &Talk) -> Vec<Place> {
        self.inner().visitors.get(talk).into_iter().flatten().map(|panel| panel.on.clone()).collect()
    }

    /// The agents who have a connection.
    pub(crate) fn present(&self) -> Vec<AgentId> {
        self.inner().agents.keys().copied().collect()
    }

    /// Tells a visitor's connections something that is not stored.
    pub(crate) fn tell_visitor(&self, talk: &Talk, what: &ToVisitor) {
        let mut inner = self.inner();
        if let Some(connections) = inner.visitors.get_mut(talk) {
            // One that is full, or gone, is let go; its task sees that and ends.
            connections.retain(|panel| panel.connection.try_send(what.clone()).is_ok());
            if connections.is_empty() {
                inner.visitors.remove(talk);
            }
        }
    }

    /// Tells an agent's connections something.
    pub(crate) fn tell_agent(&self, agent: AgentId, what: &ToAgent) {
        let mut inner = self.inner();
        if let Some(connections) = inner.agents.get_mut(&agent) {
            connections.retain(|(_, connection)| connection.try_send(what.clone()).is_ok());
            if connections.is_empty() {
                inner.agents.remove(&agent);
            }
        }
    }

    /// Wakes those who are told how many wait before them: that may be others now.
    fn tell_queue(&self, site: &SiteKey) {
        let waiting: HashSet<Talk> = self.inner().queues.get(site).into_iter().flat_map(HashMap::values).cloned().collect();
        for talk in &waiting {
            self.tell_visitor(talk, &ToVisitor::Changed);
        }
    }

    fn tell_agents(&self, what: &ToAgent) {
        for agent in self.present() {
            self.tell_agent(agent, what);
        }
    }

    /// Tells what was committed.
    pub(crate) fn publish(&self, news: &News) {
        match news {
            News::Chat(news) => self.publish_chat(news),
            News::Agent { agent } => {
                self.tell_agents(&ToAgent::Agent(*agent));
                self.changed.notify_one();
            }
            News::Mail => self.mail.notify_one(),
            News::Callback { site } => self.tell_agents(&ToAgent::Callbacks(site.clone())),
            News::Calendar => {
                self.calendar.notify_one();
                self.changed.notify_one();
            }
            News::Log { site } => {
                self.log.send_replace(());
                if let Some(log) = self.logs.lock().unwrap_or_else(PoisonError::into_inner).get(site) {
                    log.send_replace(());
                }
            }
            News::Erased => drop(self.erasures.fetch_add(1, Ordering::SeqCst)),
            News::Webhooks => self.webhooks.notify_one(),
        }
    }

    fn publish_chat(&self, news: &ChatNews) {
        self.tell_visitor(&(news.visitor, news.conversation.clone()), &ToVisitor::Changed);
        if !news.lines.is_empty() {
            let lines: Arc<[ChatEntry]> = news.lines.clone().into();
            for agent in news.agents.iter().collect::<HashSet<_>>() {
                self.tell_agent(*agent, &ToAgent::Said(news.chat, Arc::clone(&lines)));
            }
        }
        if news.changed {
            // Each connection reads what its agent may see of it.
            self.tell_agents(&ToAgent::Chat(news.chat));
            self.tell_queue(&news.site);
            self.changed.notify_one();
        }
        if news.freed {
            for agent in &news.agents {
                self.tell_agents(&ToAgent::Agent(*agent));
            }
        }
    }

    /// Waits until something may be due at another time than before.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Waits until there may be something to be read from or written to a calendar elsewhere.
    pub(crate) async fn calendar(&self) {
        self.calendar.notified().await;
    }

    /// Changes whenever the log has grown. What is new there, each reads from the store, from the place it has come to.
    pub(crate) fn log(&self) -> watch::Receiver<()> {
        self.log.subscribe()
    }

    /// Says that the server stops.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Holds whether the server stops: what would go on for ever ends then.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Changes whenever the log of a site has grown.
    pub(crate) fn log_of(&self, site: &SiteKey) -> watch::Receiver<()> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).entry(site.clone()).or_default().subscribe()
    }

    /// How many visitors were erased since the start. Whoever keeps events in memory reads them again when it is more.
    pub(crate) fn erasures(&self) -> u64 {
        self.erasures.load(Ordering::SeqCst)
    }

    /// Waits until an endpoint of webhooks may have been changed.
    pub(crate) async fn webhooks(&self) {
        self.webhooks.notified().await;
    }

    /// Waits until there is a letter to be sent.
    pub(crate) async fn mail(&self) {
        self.mail.notified().await;
    }
}

impl VisitorConnection {
    /// Says in which site's queue the visitor stands, if in one: then the panel is woken whenever the queue may have moved on.
    pub(crate) fn stands_in(&mut self, queue: Option<&SiteKey>) {
        if self.queue.as_ref() == queue {
            return;
        }
        let mut inner = self.hub.inner();
        if let Some(before) = &self.queue {
            inner.leave(before, self.id);
        }
        self.queue = queue.cloned();
        if let Some(queue) = queue {
            inner.queues.entry(queue.clone()).or_default().insert(self.id, self.talk.clone());
            drop(inner);
            // It may have moved on since this was read.
            self.hub.tell_visitor(&self.talk, &ToVisitor::Changed);
        }
    }

    /// Says to which page the visitor has gone on.
    pub(crate) fn goes_to(&self, page: &str) {
        let mut inner = self.hub.inner();
        let mut connections = inner.visitors.get_mut(&self.talk).into_iter().flatten();
        if let Some(panel) = connections.find(|panel| panel.id == self.id) {
            page.clone_into(&mut panel.on.1);
        }
    }
}

impl Inner {
    fn leave(&mut self, queue: &SiteKey, id: u64) {
        if let Some(waiting) = self.queues.get_mut(queue) {
            waiting.remove(&id);
            if waiting.is_empty() {
                self.queues.remove(queue);
            }
        }
    }
}

impl Drop for VisitorConnection {
    fn drop(&mut self) {
        let mut inner = self.hub.inner();
        if let Some(queue) = &self.queue {
            inner.leave(queue, self.id);
        }
        if let Some(connections) = inner.visitors.get_mut(&self.talk) {
            connections.retain(|panel| panel.id != self.id);
            if connections.is_empty() {
                inner.visitors.remove(&self.talk);
            }
        }
    }
}

impl Drop for AgentConnection {
    fn drop(&mut self) {
        let mut inner = self.hub.inner();
        if let Some(connections) = inner.agents.get_mut(&self.agent) {
            connections.retain(|(id, _)| *id != self.id);
            if connections.is_empty() {
                inner.agents.remove(&self.agent);
            }
        }
    }
}
