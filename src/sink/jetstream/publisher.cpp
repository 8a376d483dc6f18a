#include "sink/jetstream/publisher.hpp"

#include "nats/closures.hpp"
#include "nats/connection.hpp"
#include "nats/errors.hpp"
#include "nats/handles.hpp"
#include "nats/session.hpp"
#include "sink/jetstream/headers.hpp"
#include "sink/jetstream/in_flight.hpp"
#include "sink/jetstream/subject.hpp"

#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace meridian::sink::jetstream {

namespace {

using InFlights = nats::Closures<InFlight>;

/// What publishing in one session needs. Core drops it when the session is lost, or when the
/// Publisher is destroyed. It is destroyed on the caller's thread or on the thread that serves the
/// session, but never on one of the library's threads.
struct SessionPublisher {
  SessionPublisher(std::shared_ptr<nats::Session> own_session,
                   std::shared_ptr<InFlight> own_in_flight)
      : session(std::move(own_session)),
        in_flight(std::move(own_in_flight)),
        closure(InFlights::of_process().add(in_flight)) {}
  SessionPublisher(const SessionPublisher&) = delete;
  SessionPublisher& operator=(const SessionPublisher&) = delete;
  ~SessionPublisher() { InFlights::of_process().remove(closure); }

  const std::shared_ptr<nats::Session> session;
  const std::shared_ptr<InFlight> in_flight;
  void* const closure;
  nats::JetStreamHandle context;  // destroyed before the session that it publishes in
};

void answered(jsCtx* /*context*/, natsMsg* message, jsPubAck* acknowledged, jsPubAckErr* refused,
              void* closure) {
  if (const auto in_flight = InFlights::of_process().find(closure)) {
    in_flight->answer(message, acknowledged, refused);
  } else {
    natsMsg_Destroy(message);
  }
}

}  // namespace

struct Publisher::Core {
  Core(Options own_options, std::shared_ptr<nats::Outlet<Outcome>> own_outlet)
      : options(std::move(own_options)),
        subject(read_subject(options.jetstream.subject)),
        outlet(std::move(own_outlet)) {}

  [[nodiscard]] static nats::Result<std::shared_ptr<SessionPublisher>> open(
      const std::shared_ptr<Core>& core, std::shared_ptr<nats::Session> session);

  void refuse(Ticket ticket, nats::Rejection why) { outlet->post({ticket, std::move(why)}); }

  [[nodiscard]] nats::Result<nats::MessageHandle> native_message(const Message& message,
                                                                 const std::string& to);

  const Options options;
  const SubjectTemplate subject;
  const std::shared_ptr<nats::Outlet<Outcome>> outlet;
  std::vector<std::byte> joined;  // used only by the thread that publishes

  std::mutex mutex;
  std::shared_ptr<SessionPublisher> publisher;  // protected by mutex
};

/// Makes the publisher of a session. `core` keeps it until the session is lost.
nats::Result<std::shared_ptr<SessionPublisher>> Publisher::Core::open(
    const std::shared_ptr<Core>& core, std::shared_ptr<nats::Session> session) {
  const std::shared_ptr<nats::SessionInbox> inbox = session->inbox();
  auto in_flight = std::make_shared<InFlight>(inbox, core->outlet, core->options);
  auto publisher = std::make_shared<SessionPublisher>(std::move(session), in_flight);
  jsOptions js_options;
  jsOptions_Init(&js_options);
  js_options.PublishAsync.AckHandler = answered;
  js_options.PublishAsync.AckHandlerClosure = publisher->closure;
  jsCtx* context = nullptr;
  const natsStatus status =
      natsConnection_JetStream(&context, publisher->session->native(), &js_options);
  if (status != NATS_OK) {
    return nats::last_rejection("cannot use JetStream", status);
  }
  publisher->context.reset(context);
  const auto when_lost = [weak = std::weak_ptr(core), in_flight](const nats::Rejection& why) {
    in_flight->give_up(why);
    const std::shared_ptr<Core> there = weak.lock();
    if (!there) {
      return;
    }
    std::shared_ptr<SessionPublisher> gone;  // destroyed without the lock, since it may wait
    const std::lock_guard lock(there->mutex);
    if (there->publisher && there->publisher->in_flight == in_flight) {
      gone = std::exchange(there->publisher, nullptr);
    }
  };
  // Holds the lock: if the session is lost from here on, `when_lost` waits for the lock, then finds
  // the publisher and removes it.
  const std::lock_guard lock(core->mutex);
  if (!inbox->notify(when_lost)) {
    return inbox->lost().value();
  }
  core->publisher = publisher;
  return publisher;
}

Publisher::Publisher(nats::Connection& connection, Options options,
                     const asio::any_io_executor& executor, OnOutcome on_outcome)
    : connection_(connection),
      core_(std::make_shared<Core>(std::move(options), std::make_shared<nats::Outlet<Outcome>>(
                                                           executor, std::move(on_outcome)))) {}

Publisher::~Publisher() {
  core_->outlet->close();
  std::shared_ptr<SessionPublisher> publisher;  // destroyed without the lock, since it may wait
  const std::lock_guard lock(core_->mutex);
  std::swap(publisher, core_->publisher);
}

nats::Result<nats::MessageHandle> Publisher::Core::native_message(const Message& message,
                                                                  const std::string& to) {
  // The library makes its own copy, and needs the payload in one piece.
  std::span<const std::byte> payload = message.parts.front().octets();
  if (message.parts.size() > 1) {
    joined.clear();
    for (const FrameBatch& part : message.parts) {
      joined.insert(joined.end(), part.octets().begin(), part.octets().end());
    }
    payload = joined;
  }
  natsMsg* native = nullptr;
  natsStatus status =
      natsMsg_Create(&native, to.c_str(), nullptr, reinterpret_cast<const char*>(payload.data()),
                     static_cast<int>(payload.size()));
  nats::MessageHandle owner(native);
  for (const Header& header : headers_of(message)) {
    if (status == NATS_OK) {
      status = natsMsgHeader_Set(native, std::string(header.name).c_str(), header.value.c_str());
    }
  }
  if (status != NATS_OK) {
    return nats::last_rejection("cannot make a message", status);
  }
  return owner;
}

void Publisher::publish(const Message& message, Ticket ticket) {
  const std::string subject = core_->subject.expand(message.origin);
  std::shared_ptr<SessionPublisher> publisher;
  {
    const std::lock_guard lock(core_->mutex);
    publisher = core_->publisher;
  }
  if (!publisher) {
    std::shared_ptr<nats::Session> session = connection_.session();
    if (!session) {
      const nats::ConnectionState state = connection_.state();
      const auto* why = std::get_if<nats::Rejection>(&state);
      core_->refuse(ticket, why != nullptr
                                ? *why
                                : nats::Rejection{nats::Refusal::unreachable, "still connecting"});
      return;
    }
    auto opened = Core::open(core_, std::move(session));
    if (!opened) {
      core_->refuse(ticket, opened.error());
      return;
    }
    publisher = std::move(*opened);
  }
  const std::shared_ptr<nats::SessionInbox>& inbox = publisher->session->inbox();
  nats::Result<nats::MessageHandle> made = core_->native_message(message, subject);
  if (!made) {
    core_->refuse(ticket, made.error());
    return;
  }
  natsMsg* native = made->release();
  if (!publisher->in_flight->add(native, ticket, subject)) {
    natsMsg_Destroy(native);
    core_->refuse(ticket, inbox->lost().value());
    return;
  }
  const natsMsg* const key = native;
  jsPubOptions publish_options;
  jsPubOptions_Init(&publish_options);
  publish_options.MaxWait = acknowledgement_timeout.count();
  publish_options.ExpectStream = core_->options.jetstream.stream.c_str();
  const natsStatus status = js_PublishMsgAsync(publisher->context.get(), &native, &publish_options);
  if (status != NATS_OK) {
    nats::Rejection why = nats::last_rejection("publishing to " + subject, status);
    if (why.refusal == nats::Refusal::no_acknowledgement) {
      why.refusal = nats::Refusal::unreachable;  // the message could not be written
    }
    if (const auto untaken = publisher->in_flight->take(key)) {
      core_->refuse(*untaken, why);
    }
    if (why.refusal == nats::Refusal::unreachable) {
      inbox->lose(std::move(why));
    }
  } else if (publisher->session->cut()) {
    inbox->lose({nats::Refusal::unreachable, "the server did not read in time"});
  }
  natsMsg_Destroy(native);  // nullptr if the library has taken it
}

}  // namespace meridian::sink::jetstream
