//! Whom we trust to be GatewayAPI, the collector of traces, or the database: TLS 1.2 or newer, with Mozilla's authorities,
//! which are compiled in, as an empty container has none of its own, or with those of a PEM file.

use std::{io, path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject},
};

/// HTTP/1.1, with the file's authorities besides Mozilla's.
///
/// # Errors
///
/// When the file can't be read or holds no certificate.
pub fn of_http(extra_ca_file: Option<&Path>) -> io::Result<ClientConfig> {
    let mut roots = mozillas();
    if let Some(file) = extra_ca_file {
        roots.roots.extend(of_file(file)?.roots);
    }
    let mut config = client_config(roots);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A database's, with the file's authorities in place of Mozilla's.
///
/// # Errors
///
/// When the file can't be read or holds no certificate.
pub fn of_database(ca_file: Option<&Path>) -> io::Result<ClientConfig> {
    Ok(client_config(ca_file.map_or_else(|| Ok(mozillas()), of_file)?))
}

fn mozillas() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

fn of_file(file: &Path) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
        roots.add(certificate.map_err(io::Error::other)?).map_err(io::Error::other)?;
    }
    if roots.is_empty() { Err(io::Error::other("no certificate in it")) } else { Ok(roots) }
}

fn client_config(roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
