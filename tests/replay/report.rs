//! What came of a wire format's exchanges, as a table.

use super::cases::{Cases, Exchange};
use super::declared::{self, CLASSES, REFUSED, Refused, WRONG};
use super::requests::{Difference, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// What came of one exchange.
#[derive(Default)]
pub struct Verdict {
    /// What is wrong, a line each.
    pub wrong: Vec<String>,
    /// How the request differs.
    pub differences: Vec<Difference>,
    /// It was refused by design.
    pub refused: Option<Refused>,
    /// The case's expectation was wrong, and why.
    pub corrected: Option<&'static str>,
}

impl Verdict {
    pub fn failed(why: String) -> Self {
        Self { wrong: vec![why], ..Self::default() }
    }
}

#[derive(Clone, Copy, Default)]
struct Row {
    exchanges: usize,
    passed: usize,
    /// Passed, with declared differences of the request.
    declared: usize,
    corrected: usize,
    refused: usize,
    failed: usize,
    /// Exchanges without an input, of which the answer alone is checked.
    answers: usize,
}

/// The exchanges of one wire format.
pub struct Report {
    api: &'static str,
    /// The declared counts hold.
    counted: bool,
    rows: BTreeMap<String, Row>,
    classes: BTreeMap<(&'static str, Kind, &'static str), usize>,
    refused: BTreeMap<Refused, usize>,
    corrected: Vec<String>,
    /// How many of the exchanges are listed with a wrong expectation.
    listed: usize,
    failures: String,
}

impl Report {
    pub fn new(api: &'static str, counted: bool) -> Self {
        let (rows, classes, refused) = Default::default();
        Self {
            api,
            counted,
            rows,
            classes,
            refused,
            corrected: Vec::new(),
            listed: 0,
            failures: String::new(),
        }
    }

    pub fn add(&mut self, exchange: &Exchange, verdict: Verdict) {
        let Verdict { mut wrong, differences, refused, corrected } = verdict;
        let mut met = BTreeSet::new();
        for difference in &differences {
            match declared::class_of(exchange, difference) {
                Some(class) => drop(met.insert((class.wire, class.kind, class.path))),
                None => wrong.push(difference.to_string()),
            }
        }
        self.listed += usize::from(WRONG.iter().any(|entry| entry.id == exchange.id));
        let row = self.rows.entry(exchange.provider.clone()).or_default();
        if !exchange.asked {
            row.answers += 1;
            row.failed += usize::from(!wrong.is_empty());
            wrong.iter().for_each(|line| writeln!(self.failures, "{}: {line}", exchange.id).unwrap());
            return;
        }
        row.exchanges += 1;
        row.corrected += usize::from(corrected.is_some());
        corrected.into_iter().for_each(|why| self.corrected.push(format!("{}: {why}", exchange.id)));
        row.refused += usize::from(refused.is_some());
        if wrong.is_empty() {
            row.passed += usize::from(refused.is_none());
            row.declared += usize::from(!met.is_empty());
        } else {
            row.failed += 1;
        }
        met.into_iter().for_each(|class| *self.classes.entry(class).or_default() += 1);
        refused.into_iter().for_each(|refused| *self.refused.entry(refused).or_default() += 1);
        for line in wrong {
            writeln!(self.failures, "{}: {line}", exchange.id).unwrap();
        }
    }

    /// Prints the table, and fails if anything is wrong or more than is declared.
    pub fn close(mut self, took: Duration) {
        tell(&self.table(took));
        if self.counted {
            self.compare_counts();
        }
        assert!(self.failures.is_empty(), "{}", self.failures);
    }

    fn compare_counts(&mut self) {
        let ours = CLASSES.iter().filter(|class| class.wire.split('/').next() == Some(self.api));
        for class in ours {
            let count = self.classes.get(&(class.wire, class.kind, class.path)).copied().unwrap_or_default();
            if count != class.count {
                let what = format!("{} {:?} {}", class.wire, class.kind, class.path);
                writeln!(self.failures, "{what}: {count} exchanges, and {} are declared", class.count)
                    .unwrap();
            }
        }
        let declared: BTreeMap<Refused, usize> = REFUSED
            .iter()
            .filter(|(api, ..)| *api == self.api)
            .map(|(_, what, count)| (*what, *count))
            .collect();
        let (proved, listed) = (self.corrected.len(), self.listed);
        if proved != listed {
            writeln!(self.failures, "{proved} wrong expectations were proved, and {listed} are listed")
                .unwrap();
        }
        if self.refused != declared {
            writeln!(self.failures, "refused are {:?}, and declared {declared:?}", self.refused).unwrap();
        }
    }

    fn table(&self, took: Duration) -> String {
        let mut table = String::new();
        let mut total = Row::default();
        let line = |table: &mut String, name: &str, row: Row| {
            let Row { exchanges, passed, declared, corrected, refused, failed, answers } = row;
            writeln!(
                table,
                "  {name:<16}{exchanges:>10}{passed:>8}{declared:>10}{corrected:>7}{refused:>9}{failed:>8}{answers:>9}"
            )
            .unwrap();
        };
        writeln!(
            table,
            "  {:<16}{:>10}{:>8}{:>10}{:>7}{:>9}{:>8}{:>9}",
            self.api, "exchanges", "passed", "declared", "wrong", "refused", "failed", "answers"
        )
        .unwrap();
        for (provider, row) in &self.rows {
            line(&mut table, provider, *row);
            total.exchanges += row.exchanges;
            total.passed += row.passed;
            total.declared += row.declared;
            total.corrected += row.corrected;
            total.refused += row.refused;
            total.failed += row.failed;
            total.answers += row.answers;
        }
        for ((wire, kind, path), count) in &self.classes {
            let reason = CLASSES.iter().find(|it| (it.wire, it.kind, it.path) == (*wire, *kind, *path));
            let reason = reason.map_or("", |class| class.reason);
            writeln!(table, "  {count:>4}  {wire} {kind:?} {path}: {reason}").unwrap();
        }
        for (refused, count) in &self.refused {
            writeln!(table, "  {count:>4}  refused: {refused:?}").unwrap();
        }
        for corrected in &self.corrected {
            writeln!(table, "        wrong expectation of {corrected}").unwrap();
        }
        let Row { exchanges, passed, declared, corrected, refused, failed, answers } = total;
        writeln!(
            table,
            "REPLAYED {}: {exchanges} exchanges, {passed} passed ({declared} with declared differences of the \
             request, {corrected} with a wrong expectation), {refused} refused by design; {answers} answers alone; {failed} failed, in {} s",
            self.api,
            took.as_secs()
        )
        .unwrap();
        table
    }
}

/// Says which files could not be read.
pub fn unreadable(cases: &Cases) {
    let number = cases.unreadable.len();
    let files: String = cases.unreadable.iter().map(|file| format!("  {file}\n")).collect();
    tell(&format!("{files}REPLAYED all but {number} files that are not readable as JSON of Unicode text\n"));
}

/// Past the capture of the test runner, which shows only what fails; `cargo xtask test` lists the lines that begin
/// with `REPLAYED` at its end.
fn tell(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}
