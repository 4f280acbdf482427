use bennu_core::longpoll::{Ticket, TicketError};
use proptest::prelude::*;

const TICKET: Ticket = Ticket { endpoint: 0x0102_0304_0506_0708, mount: 9, session: 10 };

/// No signature: what is signed is not what is tested here.
fn sign(ticket: &Ticket) -> Vec<u8> {
    let mut signed = Vec::new();
    ticket.sign(|bytes| {
        signed = bytes.to_vec();
        String::new()
    });
    signed
}

fn verify(signed: &[u8]) -> Result<Ticket, TicketError> {
    Ticket::verify("", TICKET.endpoint, TICKET.mount, |_| Some(signed))
}

#[test]
fn signed_bytes_are_those_of_the_documentation() {
    let session = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10];

    assert_eq!(sign(&TICKET), [&[1, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 9][..], &session].concat());
    assert_eq!(Ticket::LEN, sign(&TICKET).len());
}

#[test]
fn token_is_what_the_signer_makes_and_the_verifier_gets() {
    let token = TICKET.sign(|bytes| format!("{} bytes, signed", bytes.len()));
    assert_eq!(token, "29 bytes, signed");

    let verified = Ticket::verify(&token, TICKET.endpoint, TICKET.mount, |token| {
        assert_eq!(token, "29 bytes, signed");
        Some(sign(&TICKET))
    });

    assert_eq!(verified, Ok(TICKET));
}

#[test]
fn token_leads_nowhere_unless_it_is_signed_for_this_endpoint_and_mount() {
    // I-17
    let unsigned = Ticket::verify("x", TICKET.endpoint, TICKET.mount, |_| None::<Vec<u8>>);
    assert_eq!(unsigned, Err(TicketError::NotSigned));

    let other = Ticket { endpoint: 1, ..TICKET };
    assert_eq!(verify(&sign(&other)), Err(TicketError::OtherEndpoint { endpoint: 1 }));
    let other = Ticket { mount: 1, ..TICKET };
    assert_eq!(verify(&sign(&other)), Err(TicketError::OtherMount { mount: 1 }));
}

#[test]
fn whatever_else_was_signed_is_no_ticket() {
    // I-17
    let signed = sign(&TICKET);
    let mut other_version = signed.clone();
    other_version[0] = 2;

    for bytes in [&[][..], &[1], &signed[..28], &[&signed[..], &[0]].concat(), &other_version, b"user:7"] {
        assert_eq!(verify(bytes), Err(TicketError::NotATicket), "{bytes:?}");
    }
}

#[test]
fn tokens_are_good_for_14_days() {
    // R162
    assert_eq!(Ticket::MAX_AGE.as_secs(), 1_209_600);
}

proptest! {
    #[test]
    fn ticket_is_read_back_as_it_was_signed(endpoint: u64, mount: u32, session: u128) {
        let ticket = Ticket { endpoint, mount, session };
        let read = Ticket::verify("", endpoint, mount, |_| Some(sign(&ticket)));
        prop_assert_eq!(read, Ok(ticket));
    }

    /// I-1
    #[test]
    fn no_bytes_are_too_wrong_to_be_looked_at(bytes: Vec<u8>) {
        let _ = verify(&bytes);
    }
}
