#include "nats/connect.hpp"

#include <string>

namespace meridian::nats {

natsStatus connect(natsConnection** connection, natsOptions* options, bool with_credentials) {
  natsStatus status = natsConnection_Connect(connection, options);
  for (int more = 2; more > 0 && status == NATS_CONNECTION_AUTH_FAILED && with_credentials;
       --more) {
    status = natsConnection_Connect(connection, options);
  }
  return status;
}

natsStatus set_user(natsOptions* options, const UserInfo& user) {
  const std::string name = escape_for_json(user.user);
  if (!user.password) {
    return natsOptions_SetToken(options, name.c_str());
  }
  return natsOptions_SetUserInfo(options, name.c_str(), escape_for_json(*user.password).c_str());
}

}  // namespace meridian::nats
