//! How the targets did, as a table.

use std::time::Duration;

use super::progress::Progress;

/// One run of one target.
#[derive(Clone, Debug, Default)]
pub(super) struct Summary {
    pub(super) took: Duration,
    pub(super) progress: Progress,
    /// Files whose bytes break a rule.
    pub(super) findings: Vec<String>,
}

/// One line for each target.
pub(super) fn table(rows: &[(&str, Summary)]) -> String {
    let mut lines = vec![line(["target", "seconds", "executions", "exec/s", "edges", "corpus", "findings"])];
    for (target, Summary { took, progress, findings }) in rows {
        let seconds = took.as_secs();
        lines.push(line([
            target,
            &seconds.to_string(),
            &progress.executions.to_string(),
            &(progress.executions / seconds.max(1)).to_string(),
            &progress.edges.to_string(),
            &progress.inputs.to_string(),
            &findings.len().to_string(),
        ]));
    }
    lines.join("\n")
}

fn line([target, seconds, executions, rate, edges, corpus, findings]: [&str; 7]) -> String {
    format!("{target:<18}{seconds:>8}{executions:>12}{rate:>9}{edges:>8}{corpus:>8}{findings:>10}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_is_what_was_tried_in_a_second() {
        let progress = Progress { executions: 120_000, edges: 900, inputs: 80 };
        let summary =
            Summary { took: Duration::from_secs(60), progress, findings: vec!["crash-0".to_owned()] };

        assert_eq!(
            table(&[("websocket", summary)]),
            "target             seconds  executions   exec/s   edges  corpus  findings\n\
             websocket               60      120000     2000     900      80         1"
        );
    }
}
