//! Where the oddities of a row lie.

use super::Direction;
use crate::anomaly::{AnomalyKind, AnomalySet};
use crate::stream::Place;

/// Where an oddity lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnomalyDetail {
    /// What is odd.
    pub kind: AnomalyKind,
    /// In whose stream.
    pub direction: Direction,
    /// The first octet of the WebSocket frame or header section that is odd; of text that is not UTF-8, the first octet of what
    /// is no character, as near as known.
    pub place: Place,
}

/// Where the oddities of a row lie: the first place of each kind that has one. Takes no memory where nothing is odd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnomalyDetails(Option<Box<Details>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Details(Vec<AnomalyDetail>);

impl AnomalyDetails {
    /// Adds every kind of a set, all of them in one place; a kind that has a place keeps it.
    #[cold]
    pub(crate) fn add(&mut self, kinds: AnomalySet, direction: Direction, place: Place) {
        for kind in kinds.iter() {
            if self.of_kind(kind).is_none() {
                self.0.get_or_insert_default().0.push(AnomalyDetail { kind, direction, place });
            }
        }
    }

    /// Adds one place, or replaces the one that its kind has.
    pub(crate) fn set(&mut self, detail: AnomalyDetail) {
        let Details(details) = &mut **self.0.get_or_insert_default();
        match details.iter_mut().find(|known| known.kind == detail.kind) {
            Some(known) => *known = detail,
            None => details.push(detail),
        }
    }

    /// Forgets the place of a kind.
    pub(crate) fn remove(&mut self, kind: AnomalyKind) {
        if let Some(details) = &mut self.0 {
            details.0.retain(|known| known.kind != kind);
        }
        self.0.take_if(|details| details.0.is_empty());
    }

    /// Where the first oddity of a kind lies; `None` when nobody knows, or it lies nowhere.
    pub fn of_kind(&self, kind: AnomalyKind) -> Option<&AnomalyDetail> {
        self.iter().find(|detail| detail.kind == kind)
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &AnomalyDetail> {
        self.0.iter().flat_map(|details| &details.0)
    }
}
