//! What the history keeps of the alarms, for the monitor that comes after.

use rusqlite::params;

use super::{History, probe};
use crate::monitor::{
    alarm::{Firing, News, Rule},
    outcome::name,
    post::Letter,
};

impl History {
    /// Which alarms were firing when the monitor ended, and since when.
    pub(in crate::monitor) fn firing(&self) -> rusqlite::Result<Vec<Firing>> {
        let mut query = self.connection.prepare("SELECT rule, probe, since FROM firing")?;
        let rows = query.query_map([], |row| {
            let probe = probe(row.get_ref(1)?.as_str()?);
            Ok((row.get::<_, String>(0)?, probe, row.get::<_, i64>(2)?))
        })?;
        let mut firing = Vec::new();
        for row in rows {
            let (rule, probe, since) = row?;
            let named = Rule::named(&rule).zip(probe);
            firing.extend(named.map(|(rule, probe)| Firing { rule, probe, since }));
        }
        Ok(firing)
    }

    /// The alerts that nobody had been told of when the monitor ended, the oldest first.
    pub(in crate::monitor) fn untold(&self) -> rusqlite::Result<Vec<Letter>> {
        let mut query =
            self.connection.prepare("SELECT way, rule, probe, begins, at, told FROM untold ORDER BY id")?;
        let rows = query.query_map([], |row| {
            let named = Rule::named(row.get_ref(1)?.as_str()?).zip(probe(row.get_ref(2)?.as_str()?));
            let (way, begins, at, told) = (row.get(0)?, row.get(3)?, row.get(4)?, row.get(5)?);
            Ok(named.map(|(rule, probe)| Letter { way, news: News { rule, probe, begins, at, told } }))
        })?;
        rows.filter_map(Result::transpose).collect()
    }

    /// Says which alarms fire now, and of which nobody has been told; what is `None` stays.
    pub(in crate::monitor) fn set_alarms(
        &mut self,
        firing: Option<&[Firing]>,
        untold: Option<&[Letter]>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        if let Some(firing) = firing {
            transaction.execute("DELETE FROM firing", [])?;
            for one in firing {
                let row = params![one.rule.name(), name(one.probe), one.since];
                transaction.execute("INSERT INTO firing (rule, probe, since) VALUES (?1, ?2, ?3)", row)?;
            }
        }
        if let Some(untold) = untold {
            transaction.execute("DELETE FROM untold", [])?;
            let mut insert = transaction.prepare(
                "INSERT INTO untold (way, rule, probe, begins, at, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for Letter { way, news } in untold {
                let News { rule, probe, begins, at, told } = news;
                insert.execute(params![way, rule.name(), name(*probe), begins, at, told])?;
            }
        }
        transaction.commit()
    }
}
