//! What an agent does at the desk: the same whether it comes by socket or by request.

use porchlight_app::console::wire::{Ask, Asked, Told};
use porchlight_domain::{
    id::{AgentId, AnswerId, ChatId},
    livechat::{ChatCommand, TransferTo},
    session::{Refusal, Speaker},
};

use super::{chats::seen, session::Right};
use crate::{
    files::Upload,
    http::{
        App,
        problem::{Code, Problem},
    },
    realtime::{Talk, ToAgent, ToVisitor},
    store::{AgentRow, Command, Failure, News, Tx},
    visit::Engine,
};

/// Does what is asked, and says what came of it.
pub(super) async fn act(app: &App, agent: &AgentRow, Asked { id, what }: Asked) -> Told {
    match done(app, agent, what).await {
        Ok(line) => Told::Done { id, line },
        Err(problem) => Told::Refused { id, code: problem.code.name().to_owned(), detail: problem.detail().to_owned() },
    }
}

async fn done(app: &App, agent: &AgentRow, what: Ask) -> Result<Option<u32>, Problem> {
    agent.must(Right::Answer)?;
    let me = agent.id;
    let (chat, command, message) = match what {
        Ask::Accept { chat } => (chat, ChatCommand::Accept { agent: me }, None),
        Ask::Decline { chat } => (chat, ChatCommand::Decline { agent: me }, None),
        Ask::Say { chat, message, text } => {
            let by = Speaker { id: me, name: agent.name.clone() };
            (chat, ChatCommand::AgentSay { by, id: message, text }, Some(message))
        }
        Ask::End { chat } => (chat, ChatCommand::AgentEnd { agent: me }, None),
        Ask::Transfer { chat, agent: Some(to), team: None } => {
            (chat, ChatCommand::Transfer { agent: me, to: TransferTo::Agent(to) }, None)
        }
        Ask::Transfer { chat, agent: None, team: Some(team) } => {
            (chat, ChatCommand::Transfer { agent: me, to: TransferTo::Team(team) }, None)
        }
        Ask::Transfer { .. } => {
            return Err(Problem::new(Code::Malformed, "expected either an agent or a team").field("agent"));
        }
        Ask::Typing { chat } => {
            pass_on(app, agent, chat, None, &ToVisitor::Typing).await?;
            return Ok(None);
        }
        Ask::Seen { chat, number } => {
            pass_on(app, agent, chat, Some(number), &ToVisitor::Seen(number)).await?;
            return Ok(None);
        }
        Ask::Available { on } => {
            app.store.commit(Switch { engine: app.engine.clone(), agent: me, on }).await?;
            return Ok(None);
        }
    };
    app.store
        .commit(Act { engine: app.engine.clone(), agent: agent.clone(), chat, command, message, file: None })
        .await
        .map_err(Problem::from)
}

/// Sends a file, and gives the number of its line.
pub(super) async fn send_file(
    app: &App,
    agent: &AgentRow,
    chat: ChatId,
    message: AnswerId,
    file: Upload,
) -> Result<Option<u32>, Problem> {
    let by = Speaker { id: agent.id, name: agent.name.clone() };
    let command = ChatCommand::AgentSendFile { by, id: message, file: String::new() };
    let act = Act { engine: app.engine.clone(), agent: agent.clone(), chat, command, message: Some(message), file: Some(file) };
    Ok(app.store.commit(act).await?)
}

struct Act {
    engine: Engine,
    agent: AgentRow,
    chat: ChatId,
    command: ChatCommand,
    message: Option<AnswerId>,
    /// What is sent, if a file is.
    file: Option<Upload>,
}

impl Command for Act {
    type Done = Option<u32>;
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Option<u32>, Failure<Problem>> {
        let Self { engine, agent, chat, mut command, message, file: upload } = self;
        let record = seen(tx, &agent, chat).await?;
        if let Some(message) = message
            && let Some(line) = tx.line_of(record.visitor, &record.conversation, message).await?
        {
            return Ok(Some(line));
        }
        if let (Some(upload), ChatCommand::AgentSendFile { file, .. }) = (upload, &mut command) {
            *file = engine.attach(tx, chat, upload).await.map_err(told)?;
        }
        engine.chat(tx, &record, command, message).await.map_err(told)?;
        match message {
            Some(message) => Ok(tx.line_of(record.visitor, &record.conversation, message).await?),
            None => Ok(None),
        }
    }
}

fn told(failure: Failure<Refusal>) -> Failure<Problem> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(refused(&refusal)),
        Failure::Store(error) => Failure::Store(error),
    }
}

/// A refusal of the domain, as an agent is told.
fn refused(refusal: &Refusal) -> Problem {
    let code = match refusal {
        Refusal::NotYours => Code::NotYours,
        Refusal::NotOffered => Code::NotOffered,
        Refusal::BadMessage(_) => Code::InvalidAnswer,
        Refusal::NoSuchAgent => Code::NoSuchAgent,
        _ => Code::NotOnline,
    };
    Problem::new(code, refusal.to_string())
}

/// Passes on to the visitor what is not part of the transcript, if the chat is the agent's.
async fn pass_on(app: &App, agent: &AgentRow, chat: ChatId, seen: Option<u32>, what: &ToVisitor) -> Result<(), Problem> {
    let held = Held { agent: agent.clone(), chat, seen };
    let (talk, moved) = if seen.is_some() { app.store.commit(held).await? } else { app.store.look(held).await? };
    app.store.hub().tell_visitor(&talk, what);
    if moved {
        // What is read in one window is read in the agent's others.
        app.store.hub().tell_agent(agent.id, &ToAgent::Chat(chat));
    }
    Ok(())
}

struct Held {
    agent: AgentRow,
    chat: ChatId,
    seen: Option<u32>,
}

impl Command for Held {
    /// Whose chat it is, and whether the agent has now seen more of it.
    type Done = (Talk, bool);
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<Problem>> {
        let record = seen(tx, &self.agent, self.chat).await?;
        if record.chat.agent() != Some(self.agent.id) {
            return Err(Failure::Refused(refused(&Refusal::NotYours)));
        }
        let moved = self.seen.filter(|number| *number > record.seen_by_agent);
        if let Some(number) = moved {
            tx.put_seen(self.chat, true, number).await?;
        }
        Ok(((record.visitor, record.conversation), moved.is_some()))
    }
}

struct Switch {
    engine: Engine,
    agent: AgentId,
    on: bool,
}

impl Command for Switch {
    type Done = ();
    type Refusal = Problem;

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<Problem>> {
        let Some(agent) = tx.agent(self.agent).await? else { return Ok(()) };
        let until = agent.availability.next_change(self.engine.outside.now());
        tx.set_switched(self.agent, Some(self.on), until).await?;
        tx.tell(News::Agent { agent: self.agent });
        Ok(())
    }
}
