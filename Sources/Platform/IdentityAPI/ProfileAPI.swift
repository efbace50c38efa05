public import MartletContract
import MartletCore

/// One's own account: how others see it, all that is kept with it, and its end.
public struct ProfileAPI: API {
    public static let shared = ProfileAPI()
    public static let name = "profile"

    public let find = Endpoint<NoContent, User>.get("/api/v1/profile", "Read one's own profile", allow: .signedIn)

    public let change = Endpoint<ProfileChange, User>.patch(
        "/api/v1/profile", "Change one's own profile", details: "Fields that are absent stay as they are; `null` clears a field.",
        allow: .loggedIn, failures: [.conflict])

    public let delete = Endpoint<AccountDeletion, NoContent>.delete(
        "/api/v1/profile", "Delete one's own account",
        details: """
            Everything that belongs to the account goes with it, and all access by its tokens ends. It cannot be undone: ask \
            `/api/v1/auth/me/export` for a copy before. The password travels in the body.
            """,
        allow: .loggedIn, limit: .login, inBody: true, failures: [.forbidden])

    public let export = Endpoint<NoContent, Document>.download(
        "/api/v1/auth/me/export", "Export all that is kept about oneself",
        details: """
            An object with a list for each kind of thing that is kept; secrets, such as password hashes and tokens, are left out. It is sent \
            while it is read: what is saved or deleted meanwhile may be in it or not.
            """,
        allow: .loggedIn, mediaType: "application/json")

    public let usernameAvailable = Endpoint<UsernameQuestion, UsernameAvailability>.get(
        "/api/v1/auth/username-available", "Ask whether a username is free", details: "If it is not, three are suggested that are.",
        allow: .anyone, weight: 5)
}
