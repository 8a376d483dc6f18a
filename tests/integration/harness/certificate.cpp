#include "integration/harness/certificate.hpp"

#include "integration/harness/require.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace meridian::test {

namespace {

using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificateHandle = std::unique_ptr<X509, decltype(&X509_free)>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)>;
using FileHandle = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void add_extension(X509* certificate, int kind, const std::string& value) {
  const ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()),
                                  X509_EXTENSION_free);
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1,
          "no extension");
}

CertificateHandle certify(EVP_PKEY* key, const std::string& names) {
  CertificateHandle certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24L * 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("meridian test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), NID_subject_alt_name, names);
  require(X509_sign(certificate.get(), key, EVP_sha256()) > 0, "no signature");
  return certificate;
}

template <typename Write>
std::string write_file(const std::string& path, Write write) {
  const FileHandle file(std::fopen(path.c_str(), "w"), std::fclose);
  require(file != nullptr && write(file.get()) == 1, "cannot write a certificate or key");
  return path;
}

}  // namespace

Certificate make_certificate(const TempDir& directory, const std::string& file,
                             const std::string& names) {
  const KeyHandle key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  require(key != nullptr, "no key");
  const CertificateHandle certificate = certify(key.get(), names);
  return {.certificate_file =
              write_file(directory.file(file + ".pem"),
                         [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()); }),
          .key_file = write_file(directory.file(file + ".key"), [&](std::FILE* out) {
            return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

}  // namespace meridian::test
