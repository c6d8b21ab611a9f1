//! One direction of a connection: bytes put in order, waiting for their parser, and the content stage behind it.

use crate::content::Stage;
use crate::options::Options;
use crate::stream::StreamBuffer;
use crate::tcp::Assembler;

/// One direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Half {
    pub(super) assembler: Assembler,
    /// In order, not yet understood.
    pub(super) buffer: StreamBuffer,
    /// Made with the first application: many connections never have one.
    pub(super) stage: Option<Box<Stage>>,
    /// A keep-alive was sent and not yet answered.
    pub(super) keep_alive: bool,
    /// Its FIN was seen.
    pub(super) fin_seen: bool,
    /// The application was told that nothing more comes.
    pub(super) ended: bool,
}

impl Half {
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        let stage = self.stage.as_ref().map_or(0, |stage| stage.touch());
        self.assembler.touch() ^ self.buffer.touch() ^ stage ^ u64::from(self.ended)
    }

    /// What its bytes take that are held beyond holes or not read yet, in octets.
    pub(super) fn memory(&self) -> usize {
        self.assembler.held_memory() + self.buffer.memory()
    }

    /// The buffer and the content stage together, as parsers need them.
    pub(super) fn parts(&mut self, options: &Options) -> (&mut StreamBuffer, &mut Stage) {
        (&mut self.buffer, self.stage.get_or_insert_with(|| Box::new(Stage::new(options))))
    }
}
