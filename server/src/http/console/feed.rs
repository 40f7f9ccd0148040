//! What an agent's console is told, over whichever connection it has.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use porchlight_app::console::wire::{CannedResponse, Colleague, Desk, Team, Told};
use porchlight_domain::id::{AgentId, ChatId};

use super::{
    chats::{line, row},
    session::{Right, SignedIn},
};
use crate::{
    http::{
        App,
        problem::{Code, Problem},
    },
    realtime::{AgentConnection, Hub, ToAgent},
    secret::Secret,
    store::{AgentRow, ChatFilter, Command, Failure, News, Queue, StoreError, Tx},
};

/// The most chats under way that a desk shows.
const DESK_MAX: u32 = 500;

/// The connection of a console.
pub(super) struct Feed {
    app: App,
    /// The agent, as they are now.
    pub(super) agent: AgentRow,
    token: Secret,
    connection: AgentConnection,
}

impl Feed {
    /// The agent is there from now on.
    pub(super) async fn begin(app: App, SignedIn { agent, token }: SignedIn) -> Result<Self, Problem> {
        let connection = app.store.hub().agent(agent.id);
        let mut feed = Self { app, agent, token, connection };
        feed.present().await?;
        Ok(feed)
    }

    /// Notes that the agent is present, for as long as the grace time. Refused if they have signed out, were disabled, or may not answer any
    /// more: a connection lives no longer than the right to it.
    pub(super) async fn present(&mut self) -> Result<(), Problem> {
        let grace = SignedDuration::from_secs(i64::try_from(self.app.settings.presence_grace_seconds).unwrap_or(i64::MAX));
        let until = self.app.engine.outside.now().checked_add(grace).unwrap_or(jiff::Timestamp::MAX);
        let present = Present { token: self.token.clone(), until, now: self.app.engine.outside.now() };
        self.agent = self.app.store.commit(present).await?;
        Ok(())
    }

    /// The desk as it is now.
    pub(super) async fn desk(&self) -> Result<Told, Problem> {
        let desk = self.app.store.look(ReadDesk::of(&self.app, &self.agent)).await?;
        Ok(Told::Desk(Box::new(desk)))
    }

    /// What there is to tell next; none when the console could not keep up, and is to come again.
    pub(super) async fn next(&mut self) -> Option<Vec<Told>> {
        let mut news = self.connection.news.recv().await?;
        let (mut told, mut chats, mut agents) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut callbacks = false;
        // What has gathered is told at once; of what changed several times only what it is now.
        loop {
            match news {
                ToAgent::Chat(chat) => drop(chats.insert(chat)),
                ToAgent::Agent(agent) => drop(agents.insert(agent)),
                ToAgent::Callbacks(site) => callbacks |= self.agent.serves(&site),
                ToAgent::Said(chat, lines) => told.push(Told::Said { chat, lines: lines.iter().map(line).collect() }),
                ToAgent::Typing(chat) => told.push(Told::Typing { chat }),
                ToAgent::Seen(chat, number) => told.push(Told::Seen { chat, number }),
            }
            match self.connection.news.try_recv() {
                Ok(next) => news = next,
                Err(_) => break,
            }
        }
        if chats.is_empty() && agents.is_empty() && !callbacks {
            return Some(told);
        }
        if agents.contains(&self.agent.id)
            && let Err(problem) = self.present().await
        {
            tracing::info!(agent = %self.agent.id, code = problem.code.name(), "a console is let go");
            return None;
        }
        let changed = Changed {
            agent: self.agent.clone(),
            hub: self.app.store.hub().clone(),
            limit: self.app.engine.chat_limit,
            now: self.app.engine.outside.now(),
            chats,
            agents,
            callbacks,
        };
        match self.app.store.look(changed).await {
            // Chats first: what is said is said in one that is known.
            Ok(mut changed) => {
                changed.append(&mut told);
                Some(changed)
            }
            Err(failure) => {
                tracing::warn!(%failure, "a console could not be brought up to date");
                None
            }
        }
    }
}

struct Present {
    token: Secret,
    until: jiff::Timestamp,
    now: jiff::Timestamp,
}

impl Command for Present {
    type Done = AgentRow;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<AgentRow, Failure<Problem>> {
        let Some((agent, ..)) = tx.login(&self.token).await?.filter(|(agent, ..)| !agent.disabled) else {
            return Err(Failure::Refused(Problem::new(Code::SignedOut, "sign in at /console/sign-in")));
        };
        agent.must(Right::Answer).map_err(Failure::Refused)?;
        let was = agent.present_until > self.now;
        tx.set_present_until(agent.id, self.until).await?;
        if !was {
            tx.tell(News::Agent { agent: agent.id });
        }
        Ok(agent)
    }
}

/// The desk of an agent.
pub(super) struct ReadDesk {
    agent: AgentRow,
    hub: Hub,
    limit: u32,
    mails: bool,
    now: jiff::Timestamp,
}

impl ReadDesk {
    pub(super) fn of(app: &App, agent: &AgentRow) -> Self {
        let engine = &app.engine;
        Self {
            agent: agent.clone(),
            hub: app.store.hub().clone(),
            limit: engine.chat_limit,
            mails: engine.mails,
            now: engine.outside.now(),
        }
    }
}

impl Command for ReadDesk {
    type Done = Desk;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Desk, Failure<Problem>> {
        let Self { agent, hub, limit, mails, now } = self;
        let filter =
            ChatFilter { queue: Queue::All, agent: agent.id, sites: agent.sites(), text: None, after: None, limit: DESK_MAX };
        let mut chats = Vec::new();
        for record in tx.chats(&filter).await?.0 {
            chats.push(row(tx, &hub, &agent, &record).await?);
        }
        let colleagues = colleagues(tx, &agent, limit, now).await?;
        let mut teams = Vec::new();
        for team in tx.teams().await? {
            if agent.serves(&team.site) {
                teams.push(Team { site: team.site, id: team.id, name: team.name });
            }
        }
        let mut responses = Vec::new();
        for response in tx.canned_responses().await? {
            if agent.serves(&response.site) {
                responses.push(CannedResponse { site: response.site, shortcut: response.shortcut, text: response.text });
            }
        }
        Ok(Desk {
            me: colleagues.iter().find(|colleague| colleague.id == agent.id).cloned(),
            callbacks: tx.callbacks_waiting(&agent, now).await?,
            mails,
            chats,
            colleagues,
            teams,
            responses,
        })
    }
}

/// Those an agent works with, and the agent.
async fn colleagues(tx: &mut Tx<'_>, agent: &AgentRow, limit: u32, now: jiff::Timestamp) -> Result<Vec<Colleague>, StoreError> {
    let all = tx.colleagues(now, limit).await?;
    let shared =
        |sites: &[porchlight_domain::id::SiteKey]| agent.sites().is_none() || sites.iter().any(|site| agent.serves(site));
    Ok(all
        .into_iter()
        .filter(|colleague| colleague.id == agent.id || colleague.sites.is_empty() || shared(&colleague.sites))
        .collect())
}

/// What has become of some chats and agents.
struct Changed {
    agent: AgentRow,
    hub: Hub,
    limit: u32,
    now: jiff::Timestamp,
    chats: BTreeSet<ChatId>,
    agents: BTreeSet<AgentId>,
    callbacks: bool,
}

impl Command for Changed {
    type Done = Vec<Told>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<Told>, Failure<Problem>> {
        let Self { agent, hub, limit, now, chats, agents, callbacks } = self;
        let mut told = Vec::new();
        for chat in chats {
            match tx.chat(chat).await? {
                Some(record) if agent.serves(&record.site) => {
                    told.push(Told::Chat(Box::new(row(tx, &hub, &agent, &record).await?)));
                }
                Some(_) => {}
                None => told.push(Told::Gone { chat }),
            }
        }
        if !agents.is_empty() {
            let known = colleagues(tx, &agent, limit, now).await?;
            told.extend(known.into_iter().filter(|colleague| agents.contains(&colleague.id)).map(Told::Colleague));
        }
        if callbacks {
            told.push(Told::Callbacks { waiting: tx.callbacks_waiting(&agent, now).await? });
        }
        Ok(told)
    }
}
