//! Bytes to messages and control frames.

use super::config::Bounds;
use super::frame::{Header, Masking, Opcode, PartialHeader};
use super::mask;
use super::message::{Message, check_first};
use super::skipper::Skipper;
use super::violation::Violation;
use std::ops::Range;

/// Reads one peer's frames.
///
/// One pointer wide, and nothing on the heap, while no frame or message is incomplete.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    partial: Option<Box<Partial>>,
}

/// How far one call came.
#[derive(Debug)]
pub(super) struct Advance {
    /// Bytes taken from the front of the input.
    pub(super) consumed: usize,
    /// What they completed; `None` if all of the input was not enough.
    pub(super) outcome: Result<Option<Complete>, Violation>,
}

/// A message or a control frame is there.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) kind: Delivery,
    pub(super) place: Place,
}

/// What can be complete: a message, or a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// Where its payload lies.
#[derive(Debug)]
pub(super) enum Place {
    /// In the input, unmasked. Text has not been checked yet.
    Input(Range<usize>),
    /// In the decoder, until the next call.
    Kept,
}

/// A payload that came in pieces.
#[derive(Debug)]
pub(super) enum Kept {
    Text(String),
    Bytes(Vec<u8>),
}

/// What has to be remembered between two calls.
#[derive(Debug, Default)]
struct Partial {
    header: PartialHeader,
    frame: Option<Frame>,
    /// The message under way.
    message: Option<Message>,
    /// The control frame under way, which may come between two fragments.
    control: Vec<u8>,
    /// What the last call has handed out.
    kept: Option<Kept>,
}

/// A frame whose header has been read.
#[derive(Clone, Copy, Debug)]
struct Frame {
    header: Header,
    /// Payload still to come, in bytes.
    left: u64,
}

impl Decoder {
    /// Reads from the front of `input` up to the next complete message or control frame.
    ///
    /// After a violation the decoder is good for [`Decoder::take_skipper`] alone. A header that was
    /// refused is not consumed, so that the skipper finds it.
    pub(super) fn advance(&mut self, config: &Bounds, masking: Masking, input: &mut [u8]) -> Advance {
        self.release();
        let mut at = 0;
        loop {
            let frame = match self.next_frame(config, masking, &input[at..]) {
                Ok(Some((frame, size))) => {
                    at += size;
                    frame
                }
                Ok(None) => return Advance { consumed: input.len(), outcome: Ok(None) },
                Err(violation) => return Advance { consumed: at, outcome: Err(violation) },
            };
            let available = input.len() - at;
            if available == 0 && frame.left > 0 {
                self.partial.get_or_insert_default().frame = Some(frame);
                return Advance { consumed: at, outcome: Ok(None) };
            }

            let piece = at..at + usize::try_from(frame.left).unwrap_or(usize::MAX).min(available);
            at = piece.end;
            mask::apply(&mut input[piece.clone()], mask::rotate(frame.header.mask, frame.offset()));
            if piece.len() as u64 == frame.header.len
                && let Some(kind) = frame.header.whole()
            {
                self.forget_frame();
                return Advance {
                    consumed: at,
                    outcome: Ok(Some(Complete { kind, place: Place::Input(piece) })),
                };
            }
            match self.collect(frame, &input[piece], config) {
                Ok(None) => {}
                Ok(Some(kind)) => {
                    return Advance {
                        consumed: at,
                        outcome: Ok(Some(Complete { kind, place: Place::Kept })),
                    };
                }
                Err(violation) => return Advance { consumed: at, outcome: Err(violation) },
            }
        }
    }

    /// The payload that [`Place::Kept`] speaks of.
    pub(super) fn kept(&self) -> &Kept {
        let kept = self.partial.as_deref().and_then(|partial| partial.kept.as_ref());
        kept.expect("what has just been completed is kept until the next call")
    }

    /// Frees what the last call handed out.
    pub(super) fn release(&mut self) {
        if let Some(partial) = self.partial.as_deref_mut()
            && partial.kept.take().is_some()
        {
            self.free_if_empty();
        }
    }

    /// Gives up reading, and goes on to look for a close frame from the very same place.
    pub(super) fn take_skipper(&mut self) -> Skipper {
        let Partial { header, frame, .. } =
            self.partial.take().map_or_else(Partial::default, |partial| *partial);
        Skipper::new(header, frame.map_or(0, |frame| frame.left))
    }

    /// The frame under way, or the one that begins here; with it, what its header took of `input`.
    fn next_frame(
        &mut self,
        config: &Bounds,
        masking: Masking,
        input: &[u8],
    ) -> Result<Option<(Frame, usize)>, Violation> {
        let Some(partial) = self.partial.as_deref_mut() else {
            let Some(header) = Header::parse(input, masking)? else {
                if !input.is_empty() {
                    self.partial.get_or_insert_default().header = PartialHeader::default().joined(input);
                }
                return Ok(None);
            };
            admit(&header, None, config)?;
            return Ok(Some((Frame { header, left: header.len }, header.size)));
        };
        if let Some(frame) = partial.frame {
            return Ok(Some((frame, 0)));
        }
        let joined = partial.header.joined(input);
        let Some(header) = Header::parse(joined.as_bytes(), masking)? else {
            partial.header = joined;
            return Ok(None);
        };
        admit(&header, partial.message.as_mut(), config)?;
        let size = header.size - partial.header.len();
        partial.header = PartialHeader::default();
        Ok(Some((Frame { header, left: header.len }, size)))
    }

    /// Keeps a piece of a payload; the whole of it, if this was the last one.
    fn collect(
        &mut self,
        frame: Frame,
        piece: &[u8],
        config: &Bounds,
    ) -> Result<Option<Delivery>, Violation> {
        let Frame { header, left } = frame;
        let partial = self.partial.get_or_insert_default();
        let now_left = left - piece.len() as u64;
        partial.frame = (now_left > 0).then_some(Frame { header, left: now_left });

        if header.opcode.is_control() {
            partial.control.extend_from_slice(piece);
            if now_left == 0 {
                partial.kept = Some(Kept::Bytes(std::mem::take(&mut partial.control)));
                return Ok(header.whole());
            }
            return Ok(None);
        }

        let message = partial.message.get_or_insert_with(|| Message::new(&header));
        message.push(piece, left, header.fin, config)?;
        if now_left > 0 || !header.fin {
            return Ok(None);
        }
        let Some(message) = partial.message.take() else { return Ok(None) };
        let kept = message.finish()?;
        let kind = match kept {
            Kept::Text(_) => Delivery::Text,
            Kept::Bytes(_) => Delivery::Binary,
        };
        partial.kept = Some(kept);
        Ok(Some(kind))
    }

    /// The frame under way has been handed out from where it lay.
    fn forget_frame(&mut self) {
        if let Some(partial) = self.partial.as_deref_mut() {
            partial.frame = None;
            self.free_if_empty();
        }
    }

    fn free_if_empty(&mut self) {
        if let Some(partial) = self.partial.as_deref()
            && matches!(partial, Partial { frame: None, message: None, kept: None, .. })
            && partial.header.len() == 0
        {
            self.partial = None;
        }
    }
}

impl Frame {
    /// How much of the payload has come before, in bytes.
    fn offset(&self) -> u64 {
        self.header.len - self.left
    }
}

impl Header {
    /// What this frame is if it needs no other; `None` for a fragment.
    fn whole(&self) -> Option<Delivery> {
        match self.opcode {
            Opcode::Text if self.fin => Some(Delivery::Text),
            Opcode::Binary if self.fin => Some(Delivery::Binary),
            Opcode::Close => Some(Delivery::Close),
            Opcode::Ping => Some(Delivery::Ping),
            Opcode::Pong => Some(Delivery::Pong),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => None,
        }
    }
}

/// The rules between a frame and the message under way, and the limits, before any payload is there.
fn admit(header: &Header, message: Option<&mut Message>, config: &Bounds) -> Result<(), Violation> {
    if header.opcode.is_control() {
        return Ok(());
    }
    match (header.opcode == Opcode::Continuation, message) {
        (true, None) => Err(Violation::UnexpectedContinuation),
        (false, Some(_)) => Err(Violation::ExpectedContinuation),
        (true, Some(message)) => message.admit(header, config),
        (false, None) => check_first(header, config),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::Config;

    fn advance(decoder: &mut Decoder, bytes: &[u8]) -> Option<Delivery> {
        let advance = decoder.advance(&Config::default().into(), Masking::Forbidden, &mut bytes.to_vec());
        assert_eq!(advance.consumed, bytes.len());
        advance.outcome.unwrap().map(|complete| complete.kind)
    }

    fn capacity(decoder: &Decoder) -> usize {
        decoder.partial.as_ref().and_then(|partial| partial.message.as_ref()).map_or(0, Message::capacity)
    }

    #[test]
    fn an_announced_length_allocates_nothing_before_its_bytes_come() {
        for first in [0x81, 0x82] {
            let mut decoder = Decoder::default();
            advance(&mut decoder, &[first, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]);
            assert_eq!(capacity(&decoder), 0);

            advance(&mut decoder, &[b'x'; 100]);
            assert_eq!(capacity(&decoder), 100);
            for _ in 0..1000 {
                advance(&mut decoder, b"x");
            }
            assert!(capacity(&decoder) <= 2 * 1100, "{}", capacity(&decoder));
        }
    }

    #[test]
    fn a_message_in_pieces_takes_no_more_than_its_length() {
        for first in [0x81, 0x82] {
            let mut decoder = Decoder::default();
            advance(&mut decoder, &[first, 126, 3, 232]);
            for _ in 0..999 {
                advance(&mut decoder, b"x");
            }
            assert_eq!(capacity(&decoder), 1000);
        }
    }

    #[test]
    fn nothing_is_kept_once_a_message_is_done() {
        let streams: [&[&[u8]]; 5] = [
            &[b"\x81\x02hi"],
            &[b"\x81\x02h", b"i"],
            &[b"\x81", b"\x02", b"hi"],
            &[b"\x01\x01h", b"\x80\x01i"],
            &[b"\x89\x02h", b"i"],
        ];
        for stream in streams {
            let mut decoder = Decoder::default();
            let (last, others) = stream.split_last().unwrap();
            for read in others {
                assert_eq!(advance(&mut decoder, read), None);
            }
            assert!(advance(&mut decoder, last).is_some());

            decoder.release();

            assert!(decoder.partial.is_none(), "{stream:?}");
        }
    }

    #[test]
    fn a_control_frame_between_two_fragments_leaves_the_message_alone() {
        let mut decoder = Decoder::default();
        advance(&mut decoder, b"\x01\x01h");

        assert_eq!(advance(&mut decoder, b"\x89\x01"), None);
        assert_eq!(advance(&mut decoder, b"p"), Some(Delivery::Ping));
        assert_eq!(advance(&mut decoder, b"\x80\x01i"), Some(Delivery::Text));
        assert!(matches!(decoder.kept(), Kept::Text(text) if text == "hi"));
    }
}
