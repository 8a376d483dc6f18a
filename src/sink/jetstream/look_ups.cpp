#include "sink/jetstream/look_ups.hpp"

#include "nats/connection.hpp"
#include "nats/errors.hpp"
#include "nats/handles.hpp"
#include "nats/session.hpp"
#include "sink/jetstream/stream.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace meridian::sink::jetstream {

namespace {

using Clock = std::chrono::steady_clock;

struct Question {
  Ticket ticket = 0;
  Where where;
};

std::string request_for(const Where& where) {
  nlohmann::json request;
  if (const auto* const subject = std::get_if<std::string>(&where)) {
    request["last_by_subj"] = *subject;
  } else {
    request["seq"] = std::get<std::uint64_t>(where);
  }
  return request.dump();
}

std::string text_of(const Where& where) {
  const auto* const subject = std::get_if<std::string>(&where);
  return subject != nullptr ? fmt::format("cannot get the last message of {}", *subject)
                            : fmt::format("cannot get message {}", std::get<0>(where));
}

/// Questions in flight in one session, identified by the last token of the subject for the answer.
class OnTheirWay {
 public:
  OnTheirWay(nats::Session& session, const Options& options, nats::Outlet<Found>& outlet)
      : session_(session),
        outlet_(outlet),
        subject_(fmt::format("$JS.API.STREAM.MSG.GET.{}", options.jetstream.stream)) {
    natsInbox* inbox = nullptr;
    natsStatus status = natsInbox_Create(&inbox);
    if (status == NATS_OK) {
      inbox_ = inbox;
      natsInbox_Destroy(inbox);
      natsSubscription* subscription = nullptr;
      status = natsConnection_SubscribeSync(&subscription, session.native(),
                                            fmt::format("{}.*", inbox_).c_str());
      subscription_.reset(subscription);
    }
    if (status == NATS_OK) {
      constexpr int unlimited = -1;
      status = natsSubscription_SetPendingLimits(subscription_.get(), unlimited, unlimited);
    }
    if (status != NATS_OK) {
      failure_ = nats::last_rejection("cannot subscribe to answers", status);
    }
  }

  [[nodiscard]] std::size_t count() const noexcept { return asked_.size(); }
  /// If there is a value, the session is lost: no more questions can be asked.
  [[nodiscard]] const std::optional<nats::Rejection>& failure() const noexcept { return failure_; }

  void ask(Question question) {
    const std::uint64_t number = ++last_number_;
    const std::string request = request_for(question.where);
    const natsStatus status = natsConnection_PublishRequestString(
        session_.native(), subject_.c_str(), fmt::format("{}.{}", inbox_, number).c_str(),
        request.c_str());
    if (status != NATS_OK) {
      lose(nats::last_rejection(text_of(question.where), status).text);
    } else if (session_.cut()) {
      lose("the server did not read in time");
    }
    asked_.emplace(number, Asked{std::move(question), Clock::now() + stream_timeout});
  }

  /// Waits a moment for one answer. Passes the answer on, if it comes.
  void take_one() {
    constexpr std::int64_t moment_ms = 50;
    natsMsg* received = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&received, subscription_.get(), moment_ms);
    const nats::MessageHandle owner(received);
    if (status == NATS_OK) {
      take(*received);
    } else if (status != NATS_TIMEOUT) {
      lose(nats::last_rejection("getting messages of the stream", status).text);
    }
  }

  /// Refuses the questions that have waited too long for an answer.
  void give_up_late() {
    while (!asked_.empty() && asked_.begin()->second.until <= Clock::now()) {
      const std::string violation = session_.inbox()->violation_about(subject_);
      const nats::Refusal refusal =
          violation.empty() ? nats::Refusal::no_acknowledgement : nats::Refusal::authorization;
      tell(asked_.begin(),
           nats::Rejection{refusal, violation.empty() ? "no answer came" : violation});
    }
  }

  void give_up_all(const nats::Rejection& why) {
    while (!asked_.empty()) {
      tell(asked_.begin(), why);
    }
  }

 private:
  struct Asked {
    Question question;
    Clock::time_point until;
  };
  using Entry = std::map<std::uint64_t, Asked>::iterator;

  void lose(std::string why) {
    failure_ = nats::Rejection{nats::Refusal::unreachable, std::move(why)};
    session_.inbox()->lose(*failure_);
  }

  void take(natsMsg& message) {
    const std::string_view subject = natsMsg_GetSubject(&message);
    const std::string_view token = subject.substr(subject.rfind('.') + 1);
    std::uint64_t number = 0;
    std::from_chars(token.data(), token.data() + token.size(), number);
    const Entry entry = asked_.find(number);
    if (entry == asked_.end()) {
      return;  // the answer came too late
    }
    if (natsMsg_IsNoResponders(&message)) {
      tell(entry, nats::Rejection{nats::Refusal::not_enabled, "JetStream is not enabled"});
      return;
    }
    session_.inbox()->forget_violation_about(subject_);
    tell(entry, read_stored({natsMsg_GetData(&message),
                             static_cast<std::size_t>(natsMsg_GetDataLength(&message))}));
  }

  void tell(Entry entry, nats::Result<std::optional<StoredMessage>> answer) {
    const Question& question = entry->second.question;
    if (!answer) {
      answer = nats::Rejection{answer.error().refusal,
                               fmt::format("{}: {}", text_of(question.where), answer.error().text)};
    }
    outlet_.post({question.ticket, std::move(answer)});
    asked_.erase(entry);
  }

  nats::Session& session_;
  nats::Outlet<Found>& outlet_;
  const std::string subject_;
  std::string inbox_;
  nats::SubscriptionHandle subscription_;
  std::optional<nats::Rejection> failure_;
  std::map<std::uint64_t, Asked> asked_;  // by number, so in the order in which they were asked
  std::uint64_t last_number_ = 0;
};

}  // namespace

/// Asks questions in one session, until none is left.
class LookUps::Round {
 public:
  Round(Options options, std::shared_ptr<nats::Outlet<Found>> outlet)
      : options_(std::move(options)), outlet_(std::move(outlet)) {}
  Round(const Round&) = delete;
  Round& operator=(const Round&) = delete;
  /// Refuses the questions that are left: the session was lost before the round began, or there was
  /// no session.
  ~Round() { refuse_waiting({nats::Refusal::unreachable, "the connection was lost"}); }

  /// False if the round is over already.
  [[nodiscard]] bool add(Question question) {
    const std::lock_guard lock(mutex_);
    if (!over_) {
      waiting_.push_back(std::move(question));
    }
    return !over_;
  }

  /// Ends the round. Drops the questions, since nobody wants the answers any more.
  void cancel() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    waiting_.clear();
    cancelled_ = true;
  }

  void run(nats::Session& session) {
    OnTheirWay on_their_way(session, options_, *outlet_);
    std::optional<nats::Rejection> failure = on_their_way.failure();
    while (!failure) {
      for (Question& question : take(on_their_way.count())) {
        on_their_way.ask(std::move(question));
      }
      if (on_their_way.count() == 0 || cancelled()) {
        return;
      }
      on_their_way.take_one();
      on_their_way.give_up_late();
      failure = on_their_way.failure() ? on_their_way.failure() : session.inbox()->lost();
    }
    on_their_way.give_up_all(*failure);
    refuse_waiting(*failure);
  }

 private:
  /// Takes the questions that may be asked now, while `on_their_way` others are in flight.
  [[nodiscard]] std::vector<Question> take(std::size_t on_their_way) {
    const std::lock_guard lock(mutex_);
    std::vector<Question> questions;
    while (!waiting_.empty() && on_their_way + questions.size() < most_at_once) {
      questions.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    over_ = cancelled_ || on_their_way + questions.size() == 0;
    return questions;
  }

  [[nodiscard]] bool cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void refuse_waiting(const nats::Rejection& why) {
    std::deque<Question> waiting;
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
      std::swap(waiting, waiting_);
    }
    for (const Question& question : waiting) {
      outlet_->post({question.ticket, why});
    }
  }

  const Options options_;
  const std::shared_ptr<nats::Outlet<Found>> outlet_;
  std::mutex mutex_;
  // Protected by mutex_.
  std::deque<Question> waiting_;
  bool over_ = false;
  bool cancelled_ = false;
};

LookUps::LookUps(nats::Connection& connection, Options options,
                 const asio::any_io_executor& executor, OnFound on_found)
    : connection_(connection),
      options_(std::move(options)),
      outlet_(std::make_shared<nats::Outlet<Found>>(executor, std::move(on_found))) {}

LookUps::~LookUps() {
  outlet_->close();
  if (const auto round = round_.lock()) {
    round->cancel();
  }
}

void LookUps::ask(Ticket ticket, Where where) {
  Question question{.ticket = ticket, .where = std::move(where)};
  if (const auto round = round_.lock(); round && round->add(question)) {
    return;
  }
  const auto round = std::make_shared<Round>(options_, outlet_);
  std::ignore = round->add(std::move(question));
  round_ = round;
  if (const std::shared_ptr<nats::Session> session = connection_.session()) {
    session->inbox()->ask([round](nats::Session& there) { round->run(there); });
  }
}

}  // namespace meridian::sink::jetstream
