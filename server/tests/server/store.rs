//! The store by itself.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use porchlight_domain::id::{VisitorId, uuid_v7};
use porchlight_server::{
    secret::Secret,
    store::{Command, Failure, Store, StoreError, Tx, VisitorRow},
};
use sqlx::Connection;
use tokio::{sync::oneshot, time::timeout};

/// Adds a visitor, then maybe refuses, or fails by adding them again.
struct Add {
    number: u8,
    then: Then,
}

enum Then {
    Stay,
    Refuse,
    Fail,
    Wait(oneshot::Receiver<()>),
}

impl Command for Add {
    type Done = u8;
    type Refusal = &'static str;

    async fn run(self, tx: &mut Tx<'_>) -> Result<u8, Failure<&'static str>> {
        let visitor = VisitorRow { id: VisitorId::new(uuid_v7(1, &[self.number; 10])), site: "shop".parse().unwrap() };
        let token = Secret::new([self.number; 32]);
        tx.add_visitor(&visitor, &token, Timestamp::UNIX_EPOCH).await?;
        match self.then {
            Then::Stay => {}
            Then::Refuse => return Err(Failure::Refused("no")),
            Then::Fail => tx.add_visitor(&visitor, &token, Timestamp::UNIX_EPOCH).await?,
            Then::Wait(gate) => drop(gate.await),
        }
        Ok(self.number)
    }
}

struct Count;

impl Command for Count {
    type Done = Vec<u8>;
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Vec<u8>, Failure<()>> {
        let mut found = Vec::new();
        for number in 0..20 {
            if tx.visitor(&Secret::new([number; 32])).await?.is_some() {
                found.push(number);
            }
        }
        Ok(found)
    }
}

struct AddSite;

impl Command for AddSite {
    type Done = ();
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<(), Failure<()>> {
        let site = porchlight_server::site::Site::read("key = \"shop\"\ntitle = \"Shop\"\norigins = []").unwrap();
        Ok(tx.put_site(&site, "", &Secret::new([0; 32])).await?)
    }
}

#[tokio::test]
async fn many_who_scrub_at_once_are_all_served_and_commands_go_on() {
    let (store, _folder) = open(64).await;
    let scrubs = join_all((0..50).map(|number| store.scrub((number % 2 == 0).then_some(u64::MAX))));
    let adds = join_all((0..20).map(|number| store.commit(Add { number, then: Then::Stay })));
    let (scrubbed, added) = tokio::join!(scrubs, adds);
    assert!(scrubbed.iter().all(|done| *done), "{scrubbed:?}");
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    assert!(!store.scrub(Some(0)).await, "it is larger");
}

async fn open(queue_limit: usize) -> (Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), 16, queue_limit).await.unwrap();
    store.commit(AddSite).await.unwrap();
    (store, folder)
}

#[tokio::test]
async fn commands_of_one_commit_stand_or_fall_alone() {
    let (store, _folder) = open(64).await;
    let (open_gate, gate) = oneshot::channel();
    // While the first waits, the others gather into the next commit.
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.commit(Add { number: 1, then: Then::Wait(gate) }).await }
    });
    let rest: Vec<_> = [(2, Then::Stay), (3, Then::Refuse), (4, Then::Fail), (5, Then::Stay)]
        .map(|(number, then)| {
            let store = store.clone();
            tokio::spawn(async move { store.commit(Add { number, then }).await })
        })
        .into_iter()
        .collect();
    tokio::task::yield_now().await;
    open_gate.send(()).unwrap();
    first.await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for task in rest {
        outcomes.push(task.await.unwrap());
    }
    assert!(matches!(outcomes[0], Ok(2)) && matches!(outcomes[3], Ok(5)));
    assert!(matches!(outcomes[1], Err(Failure::Refused("no"))));
    assert!(matches!(outcomes[2], Err(Failure::Store(StoreError::Database(_)))));
    assert_eq!(store.commit(Count).await.unwrap(), [1, 2, 5]);
}

#[tokio::test]
async fn when_too_many_wait_the_next_is_turned_away() {
    let (store, _folder) = open(2).await;
    let (open_gate, gate) = oneshot::channel();
    let (under_way, mut started) = tokio::sync::mpsc::channel::<()>(8);
    let first = tokio::spawn({
        let store = store.clone();
        async move { store.commit(Add { number: 1, then: Then::Wait(gate) }).await }
    });
    // The first leaves the queue when the writer takes it up; two more fill the queue.
    let mut waiting = Vec::new();
    while waiting.len() < 2 {
        tokio::task::yield_now().await;
        let number = u8::try_from(waiting.len()).unwrap() + 2;
        let (store, under_way) = (store.clone(), under_way.clone());
        waiting.push(tokio::spawn(async move {
            under_way.send(()).await.unwrap();
            store.commit(Add { number, then: Then::Stay }).await
        }));
        started.recv().await.unwrap();
    }
    tokio::task::yield_now().await;
    let turned_away = store.commit(Add { number: 9, then: Then::Stay }).await;
    assert!(matches!(turned_away, Err(Failure::Store(StoreError::Busy))), "{turned_away:?}");
    open_gate.send(()).unwrap();
    first.await.unwrap().unwrap();
    for task in waiting {
        task.await.unwrap().unwrap();
    }
    assert_eq!(store.commit(Count).await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn closing_lets_commands_end_and_takes_no_more() {
    let (store, folder) = open(64).await;
    let last = tokio::spawn({
        let store = store.clone();
        async move { store.commit(Add { number: 1, then: Then::Stay }).await }
    });
    tokio::task::yield_now().await;
    timeout(Duration::from_secs(10), store.close()).await.unwrap();
    last.await.unwrap().unwrap();
    assert!(matches!(store.commit(Count).await, Err(Failure::Store(StoreError::Closed))));
    let again = Store::open(folder.path(), 16, 64).await.unwrap();
    assert_eq!(again.commit(Count).await.unwrap(), [1]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Store::open(&file.path().join("data"), 16, 16).await.unwrap_err();
    assert!(matches!(error, StoreError::Folder(_)), "{error}");
}

/// What is in a database of the first version is there after an update.
#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let first = tempfile::tempdir().unwrap();
    let migration = include_str!("../../migrations/sqlite/0001_initial.sql");
    std::fs::write(first.path().join("0001_initial.sql"), migration).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("porchlight.db")).create_if_missing(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options.foreign_keys(true)).await.unwrap();
    sqlx::migrate::Migrator::new(first.path()).await.unwrap().run(&mut connection).await.unwrap();
    let visitor = VisitorId::new(uuid_v7(1, &[1; 10]));
    let token = Secret::new([1; 32]);
    let document =
        r#"{"id":"welcome","name":"Welcome","type":"dialogue","ui":"chatbot","priority":0,"cards":[{"id":"end","card":"end"}]}"#;
    for (statement, values) in [
        ("insert into site values ('shop', $1)", vec![r#"{"key":"shop","title":"Shop","origins":["loopback"],"accent":"\u00234f3dd9","corner":"end","country":"US","contact_details_in_browser":false}"#.to_owned()]),
        ("insert into conversation values ('shop', 'welcome', 1, $1, 0)", vec![document.to_owned()]),
        ("insert into published values ('shop', 'welcome', 1)", vec![]),
        ("insert into session values ('00000000-0000-7000-8000-000000000001', $1, 0, 0, 0)", vec![visitor.to_string()]),
        ("insert into progress values ($1, 'welcome', 1, 'ended', null, 1, 1, 1, $2, 0)", vec![visitor.to_string(), r#"{"session":"00000000-0000-7000-8000-000000000001","triggered":true,"engaged":true,"closed":false,"completed":true}"#.to_owned()]),
        ("insert into entry values ($1, 'welcome', 1, 'bot', 'end', 'Bye', null, 0)", vec![visitor.to_string()]),
    ] {
        if statement.contains("into session") {
            let add = sqlx::query("insert into visitor values ($1, 'shop', $2, 0)").bind(visitor.to_string()).bind(token.hash());
            add.execute(&mut connection).await.unwrap();
        }
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for value in values {
            query = query.bind(value);
        }
        query.execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = Store::open(folder.path(), 16, 64).await.unwrap();
    let (found, site, progress, (entries, reached), source) = store.look(Look(token, visitor)).await.unwrap();
    assert_eq!((found, site.as_str()), (visitor, "shop"));
    assert!(progress.completed && progress.trail.is_empty());
    assert_eq!((entries, source.as_str()), (1, document));
    assert_eq!(reached, 1, "what was said before is in the funnel");
}

struct Look(Secret, VisitorId);

impl Command for Look {
    type Done = (VisitorId, String, porchlight_domain::session::Progress, (usize, i64), String);
    type Refusal = ();

    async fn run(self, tx: &mut Tx<'_>) -> Result<Self::Done, Failure<()>> {
        let id = "welcome".parse().unwrap();
        let (visitor, _) = tx.visitor(&self.0).await?.unwrap();
        let site = tx.site(&visitor.site).await?.unwrap().site;
        let progress = tx.progress(self.1, &id).await?.unwrap();
        let entries = tx.entries(self.1, &id, 0).await?.len();
        let reached = tx.funnel(&site.key, &id, None, (0, 1)).await?.iter().map(|count| count.reached).sum();
        let source = tx.published_sources(&site.key).await?.swap_remove(0).source;
        Ok((visitor.id, site.key.to_string(), progress, (entries, reached), source))
    }
}
