//! GatewayAPI over TLS.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use gatewayapi_sms_connector::simulator::Options;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer},
};

use crate::app::{GOOD, sign_in, spawn_app, spawn_app_with};

/// Takes TLS as `localhost`, with a certificate (PEM) that is its own authority.
pub fn self_signed() -> (TlsAcceptor, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), cert.pem())
}

/// Stands before a simulated GatewayAPI and takes TLS only, a connection for each permit. Returns its port and its
/// certificate as PEM.
async fn encrypting_proxy(gatewayapi: SocketAddr, handshakes: Arc<Semaphore>) -> (u16, String) {
    let (acceptor, certificate) = self_signed();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, handshakes) = (acceptor.clone(), Arc::clone(&handshakes));
            tokio::spawn(async move {
                handshakes.acquire().await.unwrap().forget();
                // A client that does not trust us hangs up here.
                let Ok(mut decrypted) = acceptor.accept(stream).await else { return };
                let mut plain = TcpStream::connect(gatewayapi).await.unwrap();
                let _ = copy_bidirectional(&mut decrypted, &mut plain).await;
            });
        }
    });
    (port, certificate)
}

#[tokio::test]
async fn an_extra_authority_is_trusted_and_an_unknown_one_is_not() {
    let behind = spawn_app().await;
    let (port, certificate) = encrypting_proxy(behind.gatewayapi.address(), Arc::new(Semaphore::new(10))).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();

    let endpoint = format!("gatewayapi.endpoint = \"https://localhost:{port}/rest/mtsms\"");
    let trusting = format!("{endpoint}\ngatewayapi.extra_ca_file = {:?}", file.path());
    let app = spawn_app_with(&trusting, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493817")).await.status, 200);
    assert_eq!(behind.gatewayapi.received().len(), 1);

    let untrusting = format!("{endpoint}\ndelivery.deadline = \"1500ms\"");
    let app = spawn_app_with(&untrusting, Options::default()).await;
    assert_eq!(app.send(sign_in(GOOD, "493818")).await.status, 503);
    assert_eq!(behind.gatewayapi.received().len(), 1);
}

#[tokio::test]
async fn a_message_that_is_given_up_while_its_list_waits_for_a_connection_takes_no_other_with_it() {
    let behind = spawn_app().await;
    let handshakes = Arc::new(Semaphore::new(0));
    let (port, certificate) = encrypting_proxy(behind.gatewayapi.address(), Arc::clone(&handshakes)).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();
    let settings = format!(
        "gatewayapi.endpoint = \"https://localhost:{port}/rest/mtsms\"\ngatewayapi.extra_ca_file = {:?}\n\
         gatewayapi.max_connections = 1\ngatewayapi.connect_timeout = \"10s\"\ndelivery.deadline = \"3s\"",
        file.path()
    );
    let app = spawn_app_with(&settings, Options::default()).await;
    let connecting = async |in_use, waiting| {
        app.until_metric("sms_gatewayapi_connections_in_use", in_use).await;
        app.until_metric("sms_messages_waiting", waiting).await;
    };
    let send = |to: &str| tokio::spawn(app.request(sign_in(to, "493817").to_string()).send());
    let first = send("4526040003");
    connecting(1.0, 0.0).await;
    let second = send("4526091046");
    connecting(1.0, 1.0).await;
    // What the third has left after the deadline of the second. The time itself is what is tested.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let third = send("4526091047");
    connecting(1.0, 2.0).await;
    // The first breaks its connection, so the two others travel as one list over a new one.
    handshakes.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 504);
    assert_eq!(second.await.unwrap().unwrap().status(), 503);
    handshakes.add_permits(1);
    assert_eq!(third.await.unwrap().unwrap().status(), 200);
    let received: Vec<_> = behind.gatewayapi.received().iter().map(|message| message.msisdn).collect();
    assert_eq!(received, [4_526_040_003, 4_526_091_047]);
}
