//! What happens in a live chat.

use serde_json::Value;

use super::{Author, Format, Refusal, Speaker, Standing, decide::Step};
use crate::{
    conversation::{Body, Card, LiveChat},
    event::{Data, EventType},
    id::{AgentId, AnswerId, CardId, ChatId, TeamId},
    livechat::{Chat, ChatCommand, Ended, Found, Notice, Offer, Phase, Routing, Transfer, TransferTo, later, message},
};

impl<'d> Step<'d, '_, '_> {
    /// The conversation reaches a card that asks for an agent. Whether the visitor waits now; else it goes on with the fallback.
    pub(super) fn request(&mut self, card: &'d Card, live: &LiveChat) -> bool {
        let offered = match self.find(live, &[]) {
            // Whoever waits already comes first. If it is for others that they wait, the clock comes to the newcomer at once.
            Found::Agent(_) if live.queue && self.context.roster.ahead > 0 => None,
            Found::Agent(agent) => Some(self.offer(agent)),
            Found::Busy if live.queue => None,
            Found::Busy | Found::Nobody => {
                self.fall_back_to(card, live.fallback_text.as_ref());
                self.state.chat = Some(self.new_chat(card, Phase::Ended(Ended::Nobody)));
                return false;
            }
        };
        self.trigger();
        if let Some(text) = &live.text {
            self.bot_says(&card.id, text);
        }
        if let Some(talk) = &mut self.state.talk {
            talk.progress.standing = Standing::At(card.id.clone());
            talk.progress.turn += 1;
            // Who asks for a person is in mid-conversation, wherever they go from here; and there is no way back behind it.
            talk.progress.answered = true;
            talk.progress.trail.clear();
        }
        let chat = self.new_chat(card, offered.map_or(Phase::Queued, Phase::Offered));
        self.of_chat(EventType::LivechatRequested, &chat, chat.asked(), []);
        self.state.chat = Some(chat);
        true
    }

    fn new_chat(&mut self, card: &Card, phase: Phase) -> Chat {
        let now = self.context.now;
        Chat {
            id: ChatId::new((self.context.new_id)()),
            card: card.id.clone(),
            phase,
            requested_at: now,
            passed: Vec::new(),
            active_at: now,
            gone_since: None,
        }
    }

    /// Does something in the chat that is under way.
    pub(super) fn chat(&mut self, command: ChatCommand) -> Result<(), Refusal> {
        let chat = self.state.chat.take().filter(|chat| !chat.is_over()).ok_or(Refusal::NotOnline)?;
        let chat = match command {
            ChatCommand::Say { id, text } => self.visitor_says(chat, id, message(&text)?, Format::Text),
            ChatCommand::SendFile { id, file } => self.visitor_says(chat, id, file, Format::File),
            ChatCommand::AgentSay { by, id, text } => self.agent_says(chat, by, id, message(&text)?, Format::Text)?,
            ChatCommand::AgentSendFile { by, id, file } => self.agent_says(chat, by, id, file, Format::File)?,
            ChatCommand::End => self.finish(chat, Ended::Visitor),
            ChatCommand::AgentEnd { agent } => {
                holds(&chat, agent)?;
                self.finish(chat, Ended::Agent)
            }
            ChatCommand::Accept { agent } => self.accept(chat, agent)?,
            ChatCommand::Decline { agent } => {
                if chat.asked() != Some(agent) {
                    return Err(Refusal::NotOffered);
                }
                self.pass(chat)
            }
            ChatCommand::Transfer { agent, to } => self.hand_on(chat, agent, &to)?,
            ChatCommand::Gone => Chat { gone_since: chat.gone_since.or(Some(self.context.now)), ..chat },
            ChatCommand::Back => Chat { gone_since: None, ..chat },
            ChatCommand::Heard => Chat { gone_since: chat.gone_since.map(|_| self.context.now), ..chat },
            ChatCommand::Tick => self.tick(chat),
            ChatCommand::Free => self.ask_next(chat),
            ChatCommand::Renew => self.renew(chat),
        };
        if self.state.chat.is_some() {
            // The conversation went on to another chat.
            self.happened.over = Some(chat);
        } else {
            self.state.chat = Some(chat);
        }
        Ok(())
    }

    fn visitor_says(&mut self, chat: Chat, id: AnswerId, text: String, format: Format) -> Chat {
        self.engage();
        self.say(Author::Visitor, &chat.card, Some(text), format);
        self.of_message(EventType::MessageSent, &chat, id, None);
        Chat { active_at: self.context.now, ..chat }
    }

    fn agent_says(&mut self, chat: Chat, by: Speaker, id: AnswerId, text: String, format: Format) -> Result<Chat, Refusal> {
        holds(&chat, by.id)?;
        self.say_of(Author::Agent, &chat.card, text, format, Some(by.clone()));
        self.of_message(EventType::MessageReceived, &chat, id, Some(&by));
        Ok(Chat { active_at: self.context.now, ..chat })
    }

    fn accept(&mut self, chat: Chat, agent: AgentId) -> Result<Chat, Refusal> {
        // Pressed twice, or sent again: it is theirs.
        if chat.agent() == Some(agent) {
            return Ok(chat);
        }
        let until = chat.lapses_at().filter(|_| chat.asked() == Some(agent)).ok_or(Refusal::NotOffered)?;
        if self.context.now >= until {
            return Err(Refusal::NotOffered);
        }
        let handed_on = chat.agent().is_some();
        let (kind, notice) = if handed_on {
            (EventType::LivechatTransferred, Notice::Transferred)
        } else {
            (EventType::LivechatInitiated, Notice::Joined)
        };
        let online = Phase::Online { agent, transfer: None };
        let chat = Chat { phase: online, active_at: self.context.now, passed: Vec::new(), ..chat };
        self.note(&chat.card, notice, Some(agent));
        let users = [self.state.session.visitor.to_string(), agent.to_string()];
        self.of_chat(kind, &chat, Some(agent), [("users", Value::from(users.to_vec()))]);
        Ok(chat)
    }

    /// Who is asked lets it pass: the next is asked. One that is handed on stays with whom it is once nobody is left to be asked.
    fn pass(&mut self, mut chat: Chat) -> Chat {
        if let Phase::Online { agent, transfer } = &mut chat.phase {
            *transfer = transfer.take().and_then(|Transfer { offer, team, mut passed }| {
                passed.push(offer.agent);
                self.ask_team(*agent, team?, passed)
            });
            return chat;
        }
        chat.passed.extend(chat.asked());
        chat.phase = Phase::Queued;
        self.ask_next(chat)
    }

    /// Asks somebody to take a chat that nobody is being asked for.
    fn ask_next(&mut self, mut chat: Chat) -> Chat {
        if chat.phase != Phase::Queued {
            return chat;
        }
        let Some(Body::LiveChat(live)) = self.body_of(&chat.card) else { return chat };
        match self.find(live, &chat.passed) {
            Found::Agent(agent) => chat.phase = Phase::Offered(self.offer(agent)),
            Found::Busy if live.queue => {}
            Found::Busy | Found::Nobody => return self.finish(chat, Ended::Unanswered),
        }
        chat
    }

    fn hand_on(&mut self, mut chat: Chat, agent: AgentId, to: &TransferTo) -> Result<Chat, Refusal> {
        holds(&chat, agent)?;
        let transfer = match to {
            TransferTo::Agent(target) => {
                let can = |id| self.context.roster.member(id).is_some_and(|member| member.available && member.has_room());
                let target = Some(*target).filter(|target| *target != agent && can(*target));
                target.map(|target| Transfer { offer: self.offer(target), team: None, passed: Vec::new() })
            }
            TransferTo::Team(team) => self.ask_team(agent, team.clone(), Vec::new()),
        };
        chat.phase = Phase::Online { agent, transfer: Some(transfer.ok_or(Refusal::NoSuchAgent)?) };
        chat.active_at = self.context.now;
        Ok(chat)
    }

    /// Asks whoever is next in the team that a chat is handed to, if anybody is left who could take it.
    fn ask_team(&mut self, holder: AgentId, team: TeamId, passed: Vec<AgentId>) -> Option<Transfer> {
        let others = [passed.as_slice(), &[holder]].concat();
        match Routing::to_team(team.clone()).find(self.context.roster, &others, self.context.locale) {
            Found::Agent(next) => Some(Transfer { offer: self.offer(next), team: Some(team), passed }),
            Found::Busy | Found::Nobody => None,
        }
    }

    /// What ran out while the server was stopped begins anew, with the same agents.
    fn renew(&self, mut chat: Chat) -> Chat {
        let (now, policy) = (self.context.now, self.context.policy);
        if chat.drops_at(policy).is_some_and(|at| now >= at) {
            chat.gone_since = Some(now);
        }
        if chat.idle_at(policy).is_some_and(|at| now >= at) {
            chat.active_at = now;
        }
        if chat.lapses_at().is_some_and(|at| now >= at)
            && let Phase::Offered(offer) | Phase::Online { transfer: Some(Transfer { offer, .. }), .. } = &mut chat.phase
        {
            offer.until = later(now, policy.accept);
        }
        chat
    }

    fn tick(&mut self, chat: Chat) -> Chat {
        let (now, policy) = (self.context.now, self.context.policy);
        if chat.drops_at(policy).is_some_and(|at| now >= at) {
            return self.finish(chat, Ended::VisitorDropped);
        }
        if chat.idle_at(policy).is_some_and(|at| now >= at) {
            return self.finish(chat, Ended::VisitorIdle);
        }
        if chat.lapses_at().is_some_and(|at| now >= at) { self.pass(chat) } else { chat }
    }

    /// Ends a chat; the conversation goes on after it.
    fn finish(&mut self, chat: Chat, ended: Ended) -> Chat {
        let agent = chat.agent();
        let online = agent.is_some();
        let chat = Chat { phase: Phase::Ended(ended), ..chat };
        let (notice, reason) = match ended {
            Ended::Visitor => (Notice::EndedByVisitor, None),
            Ended::Agent => (Notice::EndedByAgent, None),
            Ended::Unanswered | Ended::Nobody => (Notice::Unanswered, Some("unanswered")),
            Ended::VisitorIdle => (Notice::Idle, Some("visitor_idle")),
            Ended::VisitorDropped => (Notice::Dropped, Some("visitor_dropped")),
        };
        self.note(&chat.card, notice, agent);
        let document = self.state.talk.as_ref().map(|talk| talk.document);
        let follows = online && document.is_some_and(|document| document.survey_follows(&chat.card));
        let survey = ("surveyConfigured", Value::from(follows));
        if let Some(talk) = self.state.talk.as_mut().filter(|_| online) {
            talk.progress.chat = Some(chat.id);
        }
        match reason {
            None => self.of_chat(EventType::LivechatEnded, &chat, agent, [survey]),
            Some(reason) => {
                let more = [survey, ("online", online.into()), ("reason", reason.into())];
                self.of_chat(EventType::LivechatTimeout, &chat, agent, more);
            }
        }
        let Some(document) = document else { return chat };
        if let Some(card) = document.card(&chat.card) {
            let next = match &card.body {
                Body::LiveChat(live) if ended == Ended::Unanswered => {
                    self.fall_back_to(card, live.fallback_text.as_ref());
                    document.after_fallback(card)
                }
                _ => document.after(card),
            };
            self.speak(next);
        }
        chat
    }

    fn body_of(&self, card: &CardId) -> Option<&'d Body> {
        self.state.talk.as_ref().and_then(|talk| talk.document.card(card)).map(|card| &card.body)
    }

    fn find(&self, live: &LiveChat, passed: &[AgentId]) -> Found {
        let routing = self.chosen(&live.routing, &live.rules);
        if !self.context.openings.is_open(routing.team.as_ref(), self.context.now) {
            return Found::Nobody;
        }
        routing.find(self.context.roster, passed, self.context.locale)
    }

    fn offer(&mut self, agent: AgentId) -> Offer {
        self.happened.offered = Some(agent);
        Offer { agent, until: later(self.context.now, self.context.policy.accept) }
    }

    fn note(&mut self, card: &CardId, notice: Notice, agent: Option<AgentId>) {
        let about = agent.map(|id| Speaker { id, name: self.context.roster.name(id).to_owned() });
        self.say_of(Author::Bot, card, notice.name().to_owned(), Format::Notice, about);
    }

    fn of_chat<const N: usize>(&mut self, kind: EventType, chat: &Chat, agent: Option<AgentId>, more: [(&str, Value); N]) {
        let name = agent.map(|id| self.context.roster.name(id).to_owned());
        let Some(talk) = &self.state.talk else { return };
        let usual = [
            ("name", Value::from(talk.document.name.as_str())),
            ("type", talk.document.kind.name().into()),
            ("uiType", talk.document.ui.name().into()),
            ("chat", chat.id.to_string().into()),
            ("agentName", name.into()),
            ("agentID", agent.map(|agent| agent.to_string()).into()),
        ];
        let data = usual.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect();
        self.event(kind, None, data, true);
    }

    fn of_message(&mut self, kind: EventType, chat: &Chat, id: AnswerId, by: Option<&Speaker>) {
        let mut data = Data::new();
        data.insert("chat".to_owned(), chat.id.to_string().into());
        data.insert("message".to_owned(), id.to_string().into());
        if let Some(by) = by {
            data.insert("agentName".to_owned(), by.name.as_str().into());
            data.insert("agentID".to_owned(), by.id.to_string().into());
        }
        self.event(kind, None, data, true);
    }
}

fn holds(chat: &Chat, agent: AgentId) -> Result<(), Refusal> {
    match chat.agent() {
        Some(holder) if holder == agent => Ok(()),
        Some(_) => Err(Refusal::NotYours),
        None => Err(Refusal::NotOnline),
    }
}
