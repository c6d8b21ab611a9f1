//! HTTP content that is measured only: held until all of it has come, and looked up among what came before.

use twox_hash::XxHash3_64;

use super::{Coding, Stage};
use crate::content::seen::{Held, Known};
use crate::envelope;
use crate::message::{Content, Form, HttpContent};

impl Stage {
    /// What HTTP content comes to that is all there, has no codings and is not kept.
    pub(super) fn measure_http(&mut self, encoded: &[u8]) -> Content {
        self.content_of(Known { bytes: encoded.len() as u64, identity: XxHash3_64::oneshot(encoded) })
    }

    /// Whether nothing is kept of HTTP content, and nothing looked for in it.
    #[inline]
    pub(super) fn wants_measure_only(&self, form: Form<'_>) -> bool {
        let Form::Http { target, is_event_stream, .. } = form else { return false };
        !is_event_stream && !self.wanted.digest && self.wanted.sample.is_none() && !envelope::is_poll(target)
    }

    /// What such content comes to that came before.
    pub(super) fn measure_seen(&mut self, codings: &[u8], encoded: &[u8]) -> Option<Content> {
        let known = self.seen.as_mut()?.get(codings, encoded)?;
        Some(self.content_of(known))
    }

    /// Decodes what is held, and from now on what comes.
    pub(super) fn hold_no_longer(&mut self) {
        if self.is_held() {
            let held = std::mem::take(&mut self.held);
            self.decode_held(&held);
        }
    }

    /// Whether the content under way is held.
    pub(super) fn is_held(&self) -> bool {
        self.data.as_ref().is_some_and(|open| matches!(open.coding, Coding::Held))
    }

    pub(super) fn decode_held(&mut self, held: &Held) {
        let (codings, encoded) = held.parts();
        if let Some(open) = &mut self.data {
            open.coding = Coding::of_http(codings);
        }
        self.feed(encoded);
    }

    /// What the content comes to that is held and has come to its end: what it came to before, if it came before.
    pub(super) fn close_held(&mut self) -> Content {
        let held = std::mem::take(&mut self.held);
        let (codings, encoded) = held.parts();
        let content = match self.measure_seen(codings, encoded) {
            Some(content) => {
                self.data = None;
                content
            }
            None => {
                self.decode_held(&held);
                let content = self.close_decoded(true);
                self.remember(codings, encoded, &content);
                content
            }
        };
        self.held = held;
        content
    }

    /// Remembers what a content came to, if nothing was odd about it.
    pub(super) fn remember(&mut self, codings: &[u8], encoded: &[u8], content: &Content) {
        let identity = content.http.as_ref().and_then(|http| http.identity);
        if let (Some(bytes), Some(identity), true) = (content.bytes, identity, content.anomalies.is_empty()) {
            self.seen.get_or_insert_default().insert(codings, encoded, Known { bytes, identity });
        }
    }

    pub(super) fn content_of(&mut self, Known { bytes, identity }: Known) -> Content {
        self.heads.last = None;
        let http = HttpContent { identity: Some(identity), events: None };
        Content { bytes: Some(bytes), http: Some(Box::new(http)), ..Content::default() }
    }
}
