//! Listeners, and what their connections inherit.

use socket2::SockRef;
use tokio::net::TcpStream;

#[tokio::test]
async fn address_in_use_is_an_error_of_bind() {
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();

    let again = crate::rt::bind(listener.local_addr().unwrap());

    assert_eq!(again.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

#[tokio::test]
async fn connection_that_waits_before_anything_is_served_is_prepared_like_all() {
    let listener = crate::rt::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let unprepared = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();

    let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (connection, _) = listener.accept().await.unwrap();

    let (socket, unprepared) = (SockRef::from(&connection), SockRef::from(&unprepared));
    assert!(socket.tcp_nodelay().unwrap());
    // Linux says twice what was asked for.
    assert!(socket.send_buffer_size().unwrap() <= 2 * 64 * 1024);
    assert!(!unprepared.tcp_nodelay().unwrap(), "it is not the system's default");
}
