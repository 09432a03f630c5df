//! The one writer: a thread that takes what is queued, puts it into one transaction and answers all after the commit.
//!
//! It never waits for more to come: while a commit runs, the next group gathers by itself. A piece of work that
//! fails takes nobody with it: the group is rolled back and each piece then has a transaction of its own.
//!
//! After a failure of the database itself nobody knows what the disk holds, and the library may not know either (its
//! encryption remembers one failed read for ever). So the connection is thrown away and the file opened again.

use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};
use yenban_protocol::feed::Scope;
use yenban_protocol::planted::{Bug, planted};

use super::{HubError, Result, feed, sql};
use crate::limits::COMMIT_GROUP_MAX;

/// Work for the writer. It may run twice (once in a group that is rolled back, once alone), so it takes
/// nothing out of itself until it is finished.
pub(super) trait Work: Send {
    /// Does the work inside an open transaction.
    fn run(&mut self, connection: &Connection) -> Result<()>;
    /// Answers, after the commit or after the roll-back.
    fn finish(self: Box<Self>, outcome: Result<()>);
}

/// What the queue carries.
pub(super) enum Message {
    /// Work to be done in a transaction.
    Work(Box<dyn Work>),
    /// Finish what is queued, then end.
    Stop(oneshot::Sender<()>),
}

/// Work as a closure, with its answer and what must follow a commit before anybody hears of it.
pub(super) struct Task<T, F, A> {
    pub(super) work: F,
    pub(super) after: Option<A>,
    pub(super) value: Option<T>,
    pub(super) reply: oneshot::Sender<Result<T>>,
}

impl<T, F, A> Work for Task<T, F, A>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T> + Send,
    A: FnOnce(&T) + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<()> {
        self.value = Some((self.work)(connection)?);
        Ok(())
    }

    fn finish(mut self: Box<Self>, outcome: Result<()>) {
        let answer = match (outcome, self.value.take()) {
            (Ok(()), Some(value)) => {
                if let Some(after) = self.after.take() {
                    after(&value);
                }
                Ok(value)
            }
            (Ok(()), None) => Err(HubError::Store("work without an answer".to_owned())),
            (Err(error), _) => Err(error),
        };
        // Whoever asked may have gone (a phone that lost the connection): what was committed stays.
        let _ = self.reply.send(answer);
    }
}

/// The connection, as long as it can be trusted, and how to have another.
pub(super) struct Writer<R> {
    pub(super) connection: Option<Connection>,
    pub(super) reopen: R,
    /// Told of the streams that a commit appended to.
    pub(super) news: broadcast::Sender<Arc<[Scope]>>,
}

/// Runs until told to stop or until nobody can send any more.
pub(super) fn run(mut writer: Writer<impl FnMut() -> Result<Connection>>, mut queue: mpsc::Receiver<Message>) {
    let mut group: Vec<Box<dyn Work>> = Vec::with_capacity(COMMIT_GROUP_MAX);
    let mut stop = None;
    while let Some(message) = queue.blocking_recv() {
        take(message, &mut group, &mut stop);
        while group.len() < COMMIT_GROUP_MAX {
            match queue.try_recv() {
                Ok(message) => take(message, &mut group, &mut stop),
                Err(_) => break,
            }
        }
        writer.commit(&mut group);
        if stop.is_some() {
            queue.close();
        }
    }
    // Folding the write-ahead log back leaves one file for whoever copies the folder of a stopped hub.
    if let Some(connection) = writer.connection {
        let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }
    if let Some(stopped) = stop {
        let _ = stopped.send(());
    }
}

fn take(message: Message, group: &mut Vec<Box<dyn Work>>, stop: &mut Option<oneshot::Sender<()>>) {
    match message {
        Message::Work(work) => group.push(work),
        Message::Stop(stopped) => *stop = Some(stopped),
    }
}

impl<R: FnMut() -> Result<Connection>> Writer<R> {
    fn commit(&mut self, group: &mut Vec<Box<dyn Work>>) {
        if group.is_empty() {
            return;
        }
        if planted(Bug::AnswerBeforeCommit)
            && let Some(connection) = self.connection.as_ref()
        {
            return answer_before_commit(connection, group);
        }
        match (self.transaction(group), group.len()) {
            (Ok(appended), _) => {
                group.drain(..).for_each(|work| work.finish(Ok(())));
                self.tell(appended);
            }
            (Err(error), 1) => {
                if let Some(work) = group.pop() {
                    work.finish(Err(error));
                }
            }
            (Err(_), _) => {
                for mut work in group.drain(..) {
                    match self.transaction(std::slice::from_mut(&mut work)) {
                        Ok(appended) => {
                            work.finish(Ok(()));
                            self.tell(appended);
                        }
                        Err(error) => work.finish(Err(error)),
                    }
                }
            }
        }
    }

    /// Tells of streams that were appended to, after what follows the commit was done: whoever hears of a revocation must
    /// find the device revoked.
    fn tell(&self, appended: Vec<Scope>) {
        if !appended.is_empty() {
            // Nobody waits for news at most times.
            let _ = self.news.send(appended.into());
        }
    }

    /// Streams that the transaction appended to.
    fn transaction(&mut self, group: &mut [Box<dyn Work>]) -> Result<Vec<Scope>> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => (self.reopen)()?,
        };
        // What a transaction that was rolled back had appended is no news.
        feed::appended();
        let outcome = transaction(&connection, group);
        let appended = feed::appended();
        if matches!(outcome, Err(HubError::Store(_))) && !planted(Bug::OldConnection) {
            drop(connection);
            // What cannot be opened now is tried again by whoever writes next.
            self.connection = (self.reopen)().ok();
        } else {
            self.connection = Some(connection);
        }
        outcome.map(|()| appended)
    }
}

/// What [`Bug::AnswerBeforeCommit`] does.
fn answer_before_commit(connection: &Connection, group: &mut Vec<Box<dyn Work>>) {
    for mut work in group.drain(..) {
        let _ = connection.execute_batch("BEGIN IMMEDIATE");
        let outcome = work.run(connection);
        let end = if outcome.is_ok() { "COMMIT" } else { "ROLLBACK" };
        work.finish(outcome);
        let _ = connection.execute_batch(end);
    }
}

fn transaction(connection: &Connection, group: &mut [Box<dyn Work>]) -> Result<()> {
    connection.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).map_err(sql)?;
    let outcome = group
        .iter_mut()
        .try_for_each(|work| work.run(connection))
        .and_then(|()| connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map_err(sql).map(drop));
    if outcome.is_err() && !connection.is_autocommit() {
        // A failed roll-back leaves the transaction open; the connection is thrown away then.
        let _ = connection.execute_batch("ROLLBACK");
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    type Answer = oneshot::Receiver<Result<i64>>;

    fn insert(n: i64) -> (Box<dyn Work>, Answer) {
        let (reply, answer) = oneshot::channel();
        let work = move |c: &Connection| {
            if n < 0 {
                return Err(HubError::Stopping);
            }
            c.execute("INSERT INTO t VALUES (?1)", [n]).map_err(sql)?;
            Ok(n)
        };
        (Box::new(Task { work, after: Some(|_: &i64| ()), value: None, reply }), answer)
    }

    fn database() -> (Connection, Arc<AtomicU32>) {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").expect("table");
        let commits = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&commits);
        let hook = move || {
            counter.fetch_add(1, Ordering::SeqCst);
            false
        };
        connection.commit_hook(Some(hook)).expect("hook");
        (connection, commits)
    }

    fn alone(connection: Connection) -> Writer<fn() -> Result<Connection>> {
        let news = broadcast::Sender::new(1);
        Writer { connection: Some(connection), reopen: || Err(HubError::Store("there is no other".to_owned())), news }
    }

    #[test]
    fn after_a_failure_of_the_database_another_connection_does_the_work() {
        let (connection, _) = database();
        let mut opened = 0;
        let reopen = || {
            opened += 1;
            // The first try finds the disk still failing.
            if opened == 1 { Err(HubError::Store("not yet".to_owned())) } else { Ok(database().0) }
        };
        let mut writer = Writer { connection: Some(connection), reopen, news: broadcast::Sender::new(1) };
        let mut one = |n| {
            let (work, answer) = insert(n);
            writer.commit(&mut vec![work]);
            answer.blocking_recv().is_ok_and(|outcome| outcome.is_ok())
        };
        // The second of two equal keys is refused by the database.
        assert_eq!([one(1), one(1), one(1)], [true, false, true]);
        assert_eq!(opened, 2);
    }

    #[test]
    fn what_is_queued_is_one_commit_and_everybody_is_answered_after_it() {
        let (connection, commits) = database();
        let (sender, receiver) = mpsc::channel(128);
        let mut answers = Vec::new();
        for n in 0..64 {
            let (work, answer) = insert(n);
            sender.try_send(Message::Work(work)).map_err(|_| "full").expect("room");
            answers.push(answer);
        }
        drop(sender);
        run(alone(connection), receiver);
        assert_eq!(commits.load(Ordering::SeqCst), 1);
        assert!(answers.into_iter().all(|answer| answer.blocking_recv().is_ok_and(|outcome| outcome.is_ok())));
    }

    #[test]
    fn work_that_fails_takes_nobody_with_it() {
        let (connection, _) = database();
        let mut writer = alone(connection);
        let (mut group, answers): (Vec<_>, Vec<_>) = [1, -1, 2].into_iter().map(insert).unzip();
        writer.commit(&mut group);
        let outcomes: Vec<bool> = answers.into_iter().map(|a| a.blocking_recv().is_ok_and(|outcome| outcome.is_ok())).collect();
        assert_eq!(outcomes, [true, false, true]);
        let connection = writer.connection.expect("nothing was the matter with it");
        let rows: i64 = connection.query_row("SELECT sum(n) FROM t", [], |row| row.get(0)).expect("sum");
        assert_eq!(rows, 3);
    }
}
