public import MartletContract
import MartletCore

/// What programs call with in somebody's place. Only people have to do with these: a key makes no other one.
public struct APIKeysAPI: API {
    public static let shared = APIKeysAPI()
    public static let name = "api_keys"

    public let create = Endpoint<NewAPIKey, IssuedAPIKey>.post(
        "/api/v1/auth/api-keys", "Create an API key",
        details: """
            The answer holds the key: once, for only a hash of it is kept. A program sends it as `X-API-Key`, or as `Authorization: Bearer`. It \
            may do what is among the key's permissions (those that one has oneself, unless fewer are named) and, at that moment, among one's own. \
            Created while one acts for an organisation, it acts for that one, for as long as one is a member. Without `expires_in_days` it \
            expires after 365 days.
            """,
        allow: .loggedIn, returns: .created, failures: [.conflict])

    public let list = Endpoint<NoContent, APIKeyList>.get(
        "/api/v1/auth/api-keys", "List one's API keys that have not expired, the newest first", allow: .loggedIn)

    public let revoke = Endpoint<APIKeyReference, NoContent>.delete(
        "/api/v1/auth/api-keys/{id}", "Revoke one of one's API keys", details: "Its access ends on every instance within a second.",
        allow: .loggedIn, failures: [.notFound])

    public let rotate = Endpoint<APIKeyRotation, IssuedAPIKey>.post(
        "/api/v1/auth/api-keys/{id}/rotate", "Replace one of one's API keys",
        details: """
            The answer holds another key with the same name, permissions and organisation, which lives as long as the old one was to. The old one \
            is accepted for `overlap_seconds` more (a day, unless said otherwise), so that programs can change over one after another.
            """,
        allow: .loggedIn, returns: .created, failures: [.notFound, .conflict])
}
