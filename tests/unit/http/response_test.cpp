#include "http/response.hpp"

#include "http/page.hpp"
#include "status/probes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace meridian::test {

using namespace http;

namespace {

using testing::IsEmpty;

std::string field_of(const Response& response, std::string_view name) {
  std::string values;
  for (const HeadField& field : response.fields) {
    if (field.name == name) {
      values += field.value;
    }
  }
  return values;
}

TEST(Response, OfAProbeAlwaysSaysWhy) {
  const Response good = verdict_response({.good = true, .reason = "alive"});
  EXPECT_EQ(good.status, Status::ok);
  EXPECT_EQ(good.type, "application/json");
  EXPECT_EQ(good.text, "\"alive\"\n");
  const Response bad = verdict_response({.good = false, .reason = "the buffer is full"});
  EXPECT_EQ(bad.status, Status::service_unavailable);
  EXPECT_EQ(bad.text, "\"the buffer is full\"\n");
}

TEST(Response, OfThePageAllowsNothingFromElsewhere) {
  const Response page =
      page_response({.path = "/app.js", .type = "text/javascript", .text = "let a = 1;"});
  EXPECT_EQ(page.status, Status::ok);
  EXPECT_EQ(page.type, "text/javascript");
  EXPECT_EQ(page.text, "let a = 1;");
  EXPECT_EQ(field_of(page, "Content-Security-Policy"),
            "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  EXPECT_EQ(field_of(page, "Referrer-Policy"), "no-referrer");
}

TEST(Response, OfFiguresIsTheirTextUnchanged) {
  EXPECT_EQ(json_response("{}").text, "{}");
  EXPECT_EQ(json_response("{}").type, "application/json");
  EXPECT_EQ(metrics_response("up 1\n").text, "up 1\n");
  EXPECT_EQ(metrics_response("up 1\n").type, "text/plain; version=0.0.4; charset=utf-8");
}

TEST(Response, OfARefusalIsALineOfText) {
  const Response response = refusal(Status::not_found, "this path does not exist");
  EXPECT_EQ(response.status, Status::not_found);
  EXPECT_EQ(response.type, "text/plain; charset=utf-8");
  EXPECT_EQ(response.text, "this path does not exist\n");
  EXPECT_THAT(response.fields, IsEmpty());
}

}  // namespace
}  // namespace meridian::test
