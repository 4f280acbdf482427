use super::super::figures::{Budget, Figure, Reading};
use super::super::report::{Contender, Report, Subject};
use super::*;

const CPU: &str = "µs CPU per delivery";
const RATE: &str = "1000 deliveries per s";
const BYTES: &str = "B resident, idle";

/// Three runs of two scenarios: a ratio of 1.2, 1.1 and 1.0 to the floor, and bytes.
fn report(judging: Judging, servers: &[&str]) -> Report {
    let mut report = Report::new(servers.iter().map(|name| Contender::judged(name)).collect(), judging);
    for run in 0..3 {
        let slow = f64::from(run) / 10.0;
        for server in 0..servers.len() {
            let subject = Subject::Server(server);
            report.enter("fanout 5000", subject, vec![reading(CPU, Budget::Ratio(1.15), 1.2 - slow)]);
            report.enter("fanout 5000", subject, vec![reading(RATE, Budget::None, 250.0)]);
            report.enter("memory 10000", subject, vec![reading(BYTES, Budget::Absolute(1_536.0), 1_200.0)]);
        }
        report.enter("fanout 5000", Subject::Floor, vec![reading(CPU, Budget::Ratio(1.15), 1.0)]);
        report.enter("fanout 5000", Subject::Floor, vec![reading(RATE, Budget::None, 260.0)]);
        report.enter("memory 10000", Subject::Floor, vec![reading(BYTES, Budget::Absolute(1_536.0), 94.0)]);
    }
    report
}

fn reading(name: &'static str, budget: Budget, value: f64) -> Reading {
    Reading { figure: Figure { name, budget }, value }
}

fn page(report: &Report) -> String {
    let record = report.record(Circumstances::for_tests());
    Page(&record).to_string()
}

/// The parts of `page` from each `start` to the next `end`.
fn parts<'a>(page: &'a str, start: &'a str, end: &'a str) -> Vec<&'a str> {
    page.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

/// The `x` of every line of a class, in percent.
fn places(svg: &str, class: &str) -> Vec<f64> {
    let start = format!("<line class=\"{class}\" x1=\"");
    parts(svg, &start, "%").into_iter().map(|place| place.parse().unwrap()).collect()
}

#[test]
fn every_scenario_has_a_card_and_every_sample_a_dot() {
    let page = page(&report(Judging::Budgets, &["bennu"]));

    let cards = parts(&page, "<section class=\"scenario\">", "</section>");
    let titles: Vec<_> = cards.iter().flat_map(|card| parts(card, "<h2>", "</h2>")).collect();
    assert_eq!(titles, ["fanout 5000", "memory 10000"]);
    // Of the first figure: three ratios, three of the floor and three of the server. The second has no ratios.
    assert_eq!(cards[0].matches("<circle").count(), 9 + 6);
    assert_eq!(cards[1].matches("<circle").count(), 6);
    assert!(cards[0].contains("<title>run 2: 1.10</title>"));
    assert!(cards[1].contains("<title>run 3: 1,200</title>"));
}

#[test]
fn dots_within_the_budget_are_left_of_its_line_and_the_others_right() {
    let page = page(&report(Judging::Budgets, &["bennu"]));

    let ratios = parts(&page, "Ratio to the floor", "</svg>")[0];

    let budget = places(ratios, "budget")[0];
    let dots = parts(ratios, "cx=\"", "%").into_iter().map(|place| place.parse::<f64>().unwrap() <= budget);
    assert_eq!(dots.collect::<Vec<_>>(), [false, true, true]);
    assert!(places(ratios, "unity")[0] < budget);
    assert!(places(ratios, "median s0")[0] < budget);
}

#[test]
fn overview_has_a_lane_for_each_budget_in_percent_of_it() {
    let page = page(&report(Judging::Budgets, &["bennu", "other"]));

    let overview = parts(&page, "<section class=\"overview\">", "</section>")[0];

    let lanes = parts(overview, "<span class=\"value\">", "</span>");
    assert_eq!(lanes, ["96 %", "96 %", "78 %", "78 %", ""]);
    assert!(overview.contains("memory 10000: B resident, idle, other"));
}

#[test]
fn verdict_is_told_at_the_top_and_at_each_figure() {
    let good = page(&report(Judging::Budgets, &["bennu"]));
    assert!(good.contains("<p class=\"pill within\">No frame lost; all 2 budgets are kept</p>"));
    assert_eq!(good.matches("<span class=\"badge within\">within</span>").count(), 2);

    let mut over = report(Judging::Budgets, &["bennu"]);
    over.enter("echo", Subject::Server(0), vec![reading("ms echo p99", Budget::Absolute(4.0), 4.5)]);
    let over = page(&over);
    assert!(over.contains("<p class=\"pill over\">1 of 3 budgets exceeded</p>"));
    assert!(over.contains("<span class=\"value over\">112 %</span>"));
    assert!(over.contains("≤ 4.00</span><span class=\"badge over\">over</span>"));

    let quick = page(&report(Judging::CorrectnessOnly, &["bennu"]));
    assert!(quick.contains("<p class=\"pill unjudged\">") && !quick.contains("class=\"badge"));
}

#[test]
fn circumstances_are_told() {
    let page = page(&report(Judging::Budgets, &["bennu"]));

    for fact in [
        "2026-11-20 13:52:41",
        "12 min 34 s",
        "3 runs",
        "a1b2c3d",
        "2 cores, 24 GiB, Linux 6.18",
        "4 % of the CPU",
    ] {
        assert!(page.contains(fact), "{fact}");
    }
}

#[test]
fn server_that_was_skipped_is_named() {
    let mut report = report(Judging::Budgets, &["tokio"]);
    assert!(!page(&report).contains("Skipped"));

    report.skip("io_uring".to_owned());

    let page = page(&report);
    assert!(page.contains("<dt>Skipped</dt><dd>io_uring <small>as the system refuses it</small></dd>"));
}

#[test]
fn text_from_outside_cannot_become_markup() {
    let mut report = report(Judging::Budgets, &["<b>&\""]);
    report.fail("<script>alert(1)</script>".to_owned());

    let page = page(&report);

    assert!(page.contains("&lt;b&gt;&amp;&quot;") && page.contains("Abacus &lt;2 GHz&gt;"));
    assert!(page.contains("<li>&lt;script&gt;alert(1)&lt;/script&gt;</li>"));
    assert!(page.contains("<p class=\"pill over\">One run failed</p>"));
    assert!(!page.contains("<b>") && !page.contains("<script"));
}

#[test]
fn servers_stand_side_by_side_with_what_is_over_its_budget_marked() {
    let mut report = report(Judging::Budgets, &["tokio", "mio"]);
    let slow = reading(CPU, Budget::Ratio(1.15), 9.0);
    (0..4).for_each(|_| report.enter("fanout 5000", Subject::Server(1), vec![slow]));
    (0..4).for_each(|_| {
        report.enter("fanout 5000", Subject::Floor, vec![reading(CPU, Budget::Ratio(1.15), 1.0)])
    });

    let page = page(&report);

    let section = parts(&page, "<section class=\"comparison\">", "</section>");
    let rows = parts(section[0], "<tr>", "</tr>");
    assert_eq!(rows.len(), 1 + 2, "{rows:?}");
    assert_eq!(parts(rows[0], "<th>", "</th>"), ["", "", "floor", "tokio", "mio", "budget"]);
    assert_eq!(parts(rows[1], "<td>", "</td>"), ["1.00", "1.10 (1.10 ×)", "≤ 1.15 ×"]);
    assert_eq!(parts(rows[1], "<td class=\"value over\">", "</td>"), ["9.00 (9.00 ×)"]);
}

#[test]
fn page_fetches_nothing_and_runs_nothing() {
    let page = page(&report(Judging::Budgets, &["bennu"]));

    for outside in ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "://", " onload="] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("name=\"viewport\""));
}

#[test]
fn every_element_that_is_opened_is_closed() {
    let page = page(&report(Judging::Budgets, &["bennu", "other"]));
    let mut open = Vec::new();

    for tag in parts(&page, "<", ">") {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        match tag {
            _ if tag.ends_with('/') || ["!doctype", "meta"].contains(&name) => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "</{name}>"),
            _ => open.push(name),
        }
    }

    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn scenario_that_never_came_to_an_end_does_not_stop_the_page() {
    let mut report = Report::new(vec![Contender::judged("bennu")], Judging::Budgets);
    report.enter("echo", Subject::Floor, vec![reading(CPU, Budget::Ratio(1.1), 3.0)]);
    report.fail("echo, run 1, bennu: client 3: closed by the server".to_owned());

    let page = page(&report);

    assert!(page.contains("<h2>echo</h2>") && page.contains("client 3: closed by the server"));
    assert!(page.contains("aria-label=\"bennu: none measured\"") && !page.contains("NaN"));
}

#[test]
fn thousands_are_set_apart() {
    assert_eq!(Number(10_240.0).to_string(), "10,240");
    assert_eq!(Number(100.4).to_string(), "100");
    assert_eq!(Number(1.236).to_string(), "1.24");
    assert_eq!(Number(0.0621).to_string(), "0.062");
    assert_eq!(grouped(1_234_567.25, 2), "1,234,567.25");
}
