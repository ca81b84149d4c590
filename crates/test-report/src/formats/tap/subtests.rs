//! Indented test points: what subtests say about the test point that stands for them.

use super::line::{Directive, Line, Point};

/// Levels of indentation that are told apart; what is deeper belongs to the deepest.
const LEVELS: usize = 64;

/// The open levels of subtests.
#[derive(Debug, Default)]
pub(super) struct Subtests {
    levels: Vec<Level>,
    /// A level that was closed had a failure, and its own test point is still to come.
    has_failed: bool,
    /// `not ok` on any level.
    pub(super) not_ok: u64,
}

#[derive(Debug, Default)]
struct Level {
    indentation: usize,
    points: u64,
    planned: Option<u64>,
    bad: u64,
    /// The last test point has a block in braces.
    opens_block: bool,
    /// The last test point is ok, so that its block must be.
    is_ok: bool,
}

impl Level {
    fn has_failed(&self) -> bool {
        self.bad > 0 || self.planned.is_some_and(|planned| planned != self.points)
    }
}

impl Subtests {
    /// Takes an indented line.
    pub(super) fn take(&mut self, indentation: usize, line: &Line<'_>) {
        match line {
            Line::Plan(plan) => self.level(indentation).planned = Some(plan.count()),
            Line::Point(point) => self.point(indentation, point),
            _ => {}
        }
    }

    /// Takes a `{` that stands alone: a block follows the test point before it.
    pub(super) fn open_block(&mut self, indentation: usize) {
        self.level(indentation).opens_block = true;
    }

    /// Takes an indented `}`.
    pub(super) fn close_block(&mut self, indentation: usize) {
        if self.levels.iter().any(|level| level.indentation == indentation && level.opens_block) {
            self.close_deeper(indentation);
            let has_failed = std::mem::take(&mut self.has_failed);
            let level = self.level(indentation);
            level.opens_block = false;
            level.bad += u64::from(level.is_ok && has_failed);
        }
    }

    /// Ends all levels, and says whether a subtest failed for which no test point has stood yet.
    pub(super) fn close_all(&mut self) -> bool {
        self.close_deeper(0);
        std::mem::take(&mut self.has_failed)
    }

    fn point(&mut self, indentation: usize, point: &Point<'_>) {
        self.close_deeper(indentation);
        self.not_ok += u64::from(!point.is_ok);
        let before_failed = std::mem::take(&mut self.has_failed);
        // An unwanted `not ok` is for the test point around it to judge.
        let is_pardoned = matches!(point.directive, Some(Directive::Todo | Directive::Skip));
        let level = self.level(indentation);
        level.points += 1;
        level.bad += u64::from((!point.is_ok || before_failed) && !is_pardoned);
        level.opens_block = point.opens_block;
        level.is_ok = point.is_ok && point.directive != Some(Directive::Todo);
    }

    fn close_deeper(&mut self, indentation: usize) {
        while self.levels.last().is_some_and(|level| level.indentation > indentation) {
            self.has_failed |= self.levels.pop().is_some_and(|level| level.has_failed());
        }
    }

    fn level(&mut self, indentation: usize) -> &mut Level {
        let is_new = self.levels.last().is_none_or(|level| level.indentation < indentation);
        if self.levels.is_empty() || (is_new && self.levels.len() < LEVELS) {
            self.levels.push(Level { indentation, ..Level::default() });
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }
}
