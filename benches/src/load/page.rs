//! A load run as a page: one file, with nothing to fetch and nothing to execute.
//!
//! ```text
//!   header      when, where, and whether it can be trusted
//!   comparison  the servers side by side
//!   overview    every budget, and how much of it was used
//!   a card      for each scenario: ratios and absolute figures, a dot per run
//! ```

mod plot;
#[cfg(test)]
mod tests;

use super::comparison::{Cell, Comparison, Row};
use super::figures::{Budget, Verdict, digits};
use super::record::{Circumstances, FigureRecord, Judging, Record, ScenarioRecord, ServerRecord, spread};
use plot::{Lane, Line, Plot, Scale};
use std::fmt;

/// A record that displays as an HTML document.
#[derive(Debug)]
pub(super) struct Page<'a>(pub(super) &'a Record);

/// Text that may hold anything, as HTML.
struct Text<'a>(&'a str);

/// A figure, with as many digits as it is worth.
struct Number(f64);

const STYLE: &str = include_str!("page/style.css");

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.0;
        f.write_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")?;
        f.write_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")?;
        f.write_str(
            "<meta name=\"color-scheme\" content=\"light dark\">\n<title>Bennu under load</title>\n",
        )?;
        write!(f, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n")?;
        header(f, record)?;
        failures(f, &record.failures)?;
        comparison(f, &Comparison::of(record))?;
        overview(f, record)?;
        f.write_str("<div class=\"cards\">\n")?;
        record.scenarios.iter().try_for_each(|scenario| card(f, scenario))?;
        f.write_str("</div>\n")?;
        footer(f)?;
        f.write_str("</main>\n</body>\n</html>\n")
    }
}

fn header(f: &mut fmt::Formatter<'_>, record: &Record) -> fmt::Result {
    let Circumstances { date, seconds, revision, machine, workers, disturbance, runs, judging } =
        &record.circumstances;
    let (class, verdict) = verdict(record);
    writeln!(f, "<header>\n<h1>Bennu under load</h1>\n<p class=\"pill {class}\">{verdict}</p>\n<dl>")?;
    let (day, time) = date.split_once('T').unwrap_or((date, ""));
    let took = format!("{} min {} s", seconds / 60, seconds % 60);
    entry(f, "Began", &format!("{day} {}", time.trim_end_matches('Z')), "UTC")?;
    entry(f, "Took", &took, &format!("{runs} {} of each", if *runs == 1 { "run" } else { "runs" }))?;
    if let Some(revision) = revision {
        entry(f, "Sources", revision, "")?;
    }
    let gibibytes = machine.memory as f64 / f64::from(1 << 30);
    entry(
        f,
        "Machine",
        &machine.cpu,
        &format!("{} cores, {gibibytes:.0} GiB, {}", machine.cores, machine.kernel),
    )?;
    entry(f, "Workers", &workers.to_string(), "of each runtime; mio, io_uring and the floor are one thread")?;
    if !record.skipped.is_empty() {
        entry(f, "Skipped", &record.skipped.join(", "), "as the system refuses it")?;
    }
    let remark =
        if disturbance.is_tolerable() { "little enough" } else { "too much to judge by these figures" };
    entry(f, "Used by others", &format!("{:.0} % of the CPU", disturbance.0 * 100.0), remark)?;
    f.write_str("</dl>\n")?;
    if *judging == Judging::CorrectnessOnly {
        f.write_str(
            "<p class=\"note\">A quick run: the loads are too small for a verdict on time or memory.</p>\n",
        )?;
    }
    f.write_str("</header>\n")
}

fn entry(f: &mut fmt::Formatter<'_>, term: &str, value: &str, remark: &str) -> fmt::Result {
    writeln!(f, "<div><dt>{term}</dt><dd>{} <small>{}</small></dd></div>", Text(value), Text(remark))
}

/// The class of the verdict on everything, and its words.
fn verdict(record: &Record) -> (&'static str, String) {
    let (within, over) = (record.count(Verdict::Within), record.count(Verdict::Over));
    match (record.failures.len(), over, within) {
        (1, ..) => ("over", "One run failed".to_owned()),
        (failed @ 2.., ..) => ("over", format!("{failed} runs failed")),
        (0, 0, 0) => ("unjudged", "No frame lost; nothing judged".to_owned()),
        (0, 0, 1) => ("within", "No frame lost; the one budget is kept".to_owned()),
        (0, 0, _) => ("within", format!("No frame lost; all {within} budgets are kept")),
        (0, ..) => ("over", format!("{over} of {} budgets exceeded", within + over)),
    }
}

fn failures(f: &mut fmt::Formatter<'_>, failures: &[String]) -> fmt::Result {
    if failures.is_empty() {
        return Ok(());
    }
    f.write_str("<section class=\"failures\">\n<h2>Failed</h2>\n<ul>\n")?;
    failures.iter().try_for_each(|failure| writeln!(f, "<li>{}</li>", Text(failure)))?;
    f.write_str("</ul>\n</section>\n")
}

fn comparison(f: &mut fmt::Formatter<'_>, comparison: &Comparison<'_>) -> fmt::Result {
    if comparison.is_empty() {
        return Ok(());
    }
    f.write_str("<section class=\"comparison\">\n<h2>Side by side</h2>\n")?;
    f.write_str("<p class=\"legend\">Medians; in brackets, the median of the ratios to the floor of the same run.</p>\n")?;
    f.write_str("<div class=\"scroll\"><table>\n<tr><th></th><th></th><th>floor</th>")?;
    comparison.servers.iter().try_for_each(|server| write!(f, "<th>{}</th>", Text(server)))?;
    f.write_str("<th>budget</th></tr>\n")?;
    for row in &comparison.rows {
        compared(f, row, comparison.servers)?;
    }
    f.write_str("</table></div>\n</section>\n")
}

fn compared(f: &mut fmt::Formatter<'_>, row: &Row<'_>, servers: &[String]) -> fmt::Result {
    let (scenario, figure) = (Text(row.scenario), Text(row.figure()));
    write!(f, "<tr><th>{scenario}</th><th>{figure}</th><td>{}</td>", row.floor())?;
    for server in servers {
        match row.cell(server) {
            Some(cell @ Cell { verdict: Verdict::Over, .. }) => {
                write!(f, "<td class=\"value over\">{cell}</td>")?;
            }
            Some(cell) => write!(f, "<td>{cell}</td>")?,
            None => f.write_str("<td></td>")?,
        }
    }
    writeln!(f, "<td>{}</td></tr>", row.budget())
}

fn overview(f: &mut fmt::Formatter<'_>, record: &Record) -> fmt::Result {
    let mut lanes = Vec::new();
    for scenario in &record.scenarios {
        for figure in &scenario.figures {
            for (place, server) in figure.servers.iter().enumerate() {
                let Some(parts) = server.parts_of(figure.budget) else { continue };
                let values: Vec<f64> = parts.iter().map(|part| part * 100.0).collect();
                let median = spread(&values).map_or(0.0, |spread| spread.median);
                let name =
                    if figure.servers.len() > 1 { format!(", {}", server.name) } else { String::new() };
                lanes.push(Lane {
                    who: format!("{}: {}{name}", scenario.title, figure.name),
                    class: subject(place),
                    text: format!("{median:.0} %"),
                    verdict: server.verdict,
                    values,
                });
            }
        }
    }
    if lanes.is_empty() {
        return Ok(());
    }
    f.write_str("<section class=\"overview\">\n<h2>How much of each budget was used</h2>\n")?;
    f.write_str("<p class=\"legend\">In percent. A dot is a run, the stroke their median, ")?;
    f.write_str("<span class=\"key budget-key\"></span> the budget.</p>\n")?;
    let scale = Scale::around(lanes.iter().flat_map(|lane| lane.values.iter().copied()).chain([50.0, 110.0]));
    write!(f, "{}", Plot { scale, lines: vec![Line::Budget(100.0)], lanes })?;
    f.write_str("</section>\n")
}

fn card(f: &mut fmt::Formatter<'_>, scenario: &ScenarioRecord) -> fmt::Result {
    writeln!(f, "<section class=\"scenario\">\n<h2>{}</h2>", Text(&scenario.title))?;
    scenario.figures.iter().try_for_each(|figure| figure_of(f, figure))?;
    f.write_str("</section>\n")
}

fn figure_of(f: &mut fmt::Formatter<'_>, figure: &FigureRecord) -> fmt::Result {
    writeln!(f, "<figure>\n<figcaption><h3>{}</h3>{}</figcaption>", Text(&figure.name), Badges(figure))?;
    if let Budget::Ratio(most) = figure.budget
        && figure.servers.iter().any(|server| !server.ratios.is_empty())
    {
        let lane =
            |(place, server): (usize, &ServerRecord)| Lane::of(&server.name, subject(place), &server.ratios);
        let lanes: Vec<Lane> = figure.servers.iter().enumerate().map(lane).collect();
        let scale = Scale::around(values(&lanes).chain([0.9, 1.1, most]));
        f.write_str("<p class=\"legend\">Ratio to the floor of the same run</p>\n")?;
        write!(f, "{}", Plot { scale, lines: vec![Line::Unity(1.0), Line::Budget(most)], lanes })?;
        f.write_str("<p class=\"legend\">Absolute</p>\n")?;
    }
    let floor = (!figure.floor.is_empty()).then(|| Lane::of("floor", "floor", &figure.floor));
    let servers = figure.servers.iter().enumerate();
    let servers = servers.map(|(place, server)| Lane::of(&server.name, subject(place), &server.samples));
    let lanes: Vec<Lane> = floor.into_iter().chain(servers).collect();
    let lines = match figure.budget {
        Budget::Absolute(most) => vec![Line::Budget(most)],
        Budget::Ratio(_) | Budget::None => Vec::new(),
    };
    let scale = Scale::from_zero(values(&lanes).chain(lines.iter().map(|line| line.value())));
    write!(f, "{}", Plot { scale, lines, lanes })?;
    raw(f, figure)?;
    f.write_str("</figure>\n")
}

fn values(lanes: &[Lane]) -> impl Iterator<Item = f64> {
    lanes.iter().flat_map(|lane| lane.values.iter().copied())
}

/// The budget of a figure, and how each server stands to it.
struct Badges<'a>(&'a FigureRecord);

impl fmt::Display for Badges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FigureRecord { budget, servers, .. } = self.0;
        let most = match *budget {
            Budget::Ratio(most) => format!("{most:.2} ×"),
            Budget::Absolute(most) => Number(most).to_string(),
            Budget::None => return Ok(()),
        };
        write!(f, "<span class=\"budget-note\"><span class=\"key budget-key\"></span>≤ {most}</span>")?;
        for server in servers {
            let (class, word) = match server.verdict {
                Verdict::Within => ("within", "within"),
                Verdict::Over => ("over", "over"),
                Verdict::Unjudged => continue,
            };
            let name = if servers.len() > 1 { format!("{}: ", server.name) } else { String::new() };
            write!(f, "<span class=\"badge {class}\">{}{word}</span>", Text(&name))?;
        }
        Ok(())
    }
}

/// Every figure, run by run.
fn raw(f: &mut fmt::Formatter<'_>, figure: &FigureRecord) -> fmt::Result {
    let runs = figure.servers.iter().map(|server| server.samples.len()).chain([figure.floor.len()]).max();
    f.write_str("<details><summary>Every run</summary>\n<div class=\"scroll\"><table>\n<tr><th>run</th>")?;
    (1..=runs.unwrap_or(0)).try_for_each(|run| write!(f, "<th>{run}</th>"))?;
    f.write_str("</tr>\n")?;
    if !figure.floor.is_empty() {
        row(f, "floor", &figure.floor)?;
    }
    for server in &figure.servers {
        row(f, &server.name, &server.samples)?;
        if !server.ratios.is_empty() {
            row(f, "ratio", &server.ratios)?;
        }
    }
    f.write_str("</table></div></details>\n")
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, values: &[f64]) -> fmt::Result {
    write!(f, "<tr><th>{}</th>", Text(name))?;
    values.iter().try_for_each(|&value| write!(f, "<td>{}</td>", Number(value)))?;
    f.write_str("</tr>\n")
}

fn footer(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(
        "<footer><p>CPU is that of the server process, user and system. The <em>floor</em> is one thread on bare epoll \
         that sends the same bytes and does nothing else: a figure is judged as a ratio to it, run by run, by the \
         median. Dots stand in the order of the runs, from the top.</p></footer>\n",
    )
}

/// The colour of a server under test.
fn subject(place: usize) -> &'static str {
    ["s0", "s1", "s2", "s3", "s4"][place % 5]
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            c => write!(f, "{c}"),
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0, digits(self.0)))
    }
}

/// A number with its thousands apart: `10,240`.
fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let whole = text.find('.').unwrap_or(text.len());
    let mut grouped = String::new();
    for (at, c) in text.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    grouped
}
