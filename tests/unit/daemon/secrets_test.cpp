#include "daemon/secrets.hpp"

#include "integration/harness/temp_dir.hpp"
#include "sink/type.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace meridian::test {

using namespace daemon;

namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Secrets : public testing::Test {
 protected:
  [[nodiscard]] std::string file(const std::string& name, unsigned mode) const {
    const std::string path = directory_.write(name, "");
    std::filesystem::permissions(path, std::filesystem::perms(mode));
    return path;
  }
  [[nodiscard]] Config with_server(const std::string& url, unsigned mode) const {
    Config config;
    config.file = file("meridiand.json", mode);
    config.sinks = {{.name = "archive",
                     .type = sink::types().front(),
                     .jetstream = {.servers = {url}, .stream = "T"}}};
    return config;
  }

  test::TempDir directory_;
};

TEST_F(Secrets, InAReadableConfigurationAreReportedNotShown) {
  const Config config = with_server("nats://user:pass@h", 0644);
  EXPECT_THAT(open_secrets(config), ElementsAre(AllOf(HasSubstr(config.file.string()),
                                                      HasSubstr("0644"), Not(HasSubstr("pass@")))));
}

TEST_F(Secrets, InAProtectedConfigurationAreFine) {
  for (const unsigned mode : {0600U, 0640U, 0400U}) {
    EXPECT_THAT(open_secrets(with_server("nats://user:pass@h", mode)), IsEmpty());
  }
}

TEST_F(Secrets, AreNoneWhereNoServerHasAPassword) {
  EXPECT_THAT(open_secrets(with_server("nats://h", 0644)), IsEmpty());
  EXPECT_THAT(open_secrets(Config{}), IsEmpty());
}

TEST_F(Secrets, InFilesOfSinksAreReportedByFile) {
  Config config = with_server("nats://h", 0644);
  config.sinks.front().jetstream.credentials = file("archive.creds", 0604);
  config.sinks.front().jetstream.tls.key_file = file("key.pem", 0644);
  config.sinks.front().jetstream.tls.certificate_file = file("cert.pem", 0644);  // for all to see
  EXPECT_THAT(open_secrets(config), ElementsAre(HasSubstr("archive.creds"), HasSubstr("key.pem")));
  std::filesystem::permissions(config.sinks.front().jetstream.credentials,
                               std::filesystem::perms(0640));
  EXPECT_THAT(open_secrets(config), ElementsAre(HasSubstr("key.pem")));
}

TEST_F(Secrets, InAMissingFileAreNone) {
  Config config = with_server("nats://h", 0644);
  config.sinks.front().jetstream.credentials = directory_.file("missing");
  EXPECT_THAT(open_secrets(config), IsEmpty());
}

}  // namespace
}  // namespace meridian::test
