//! Columns of text.

use std::fmt;

/// Rows of equally many cells, the first row being the head.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn push(&mut self, row: impl Into<Vec<String>>) {
        self.rows.push(row.into());
    }
}

impl fmt::Display for Table {
    /// Each column as wide as its widest cell, with a line under the head.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
            if number == 0 {
                let lines = widths.iter().map(|&width| "-".repeat(width));
                writeln!(f, "{}", lines.collect::<Vec<_>>().join("  ").trim_end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::default();
        table.push(["µs".to_owned(), "b".to_owned()]);
        table.push(["1".to_owned(), "long".to_owned()]);

        assert_eq!(table.to_string(), "µs  b\n--  ----\n1   long\n");
    }
}
