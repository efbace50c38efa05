// MartletIdentityAPI: how people sign up, log in and stay logged in. Shared by server, client and documentation.

public import MartletContract
import MartletCore

/// Signing up, logging in, staying logged in.
public struct AccountsAPI: API {
    public static let shared = AccountsAPI()
    public static let name = "auth"

    public let register = Endpoint<Registration, Session>.post(
        "/api/v1/auth/register{?cookie}", "Create an account and log in",
        details: "With `?cookie=true` the refresh token comes as an HttpOnly cookie instead of in the body.",
        allow: .anyone, returns: .created, limit: .login, failures: [.conflict])

    public let login = Endpoint<Login, LoginAnswer>.post(
        "/api/v1/auth/login{?cookie}", "Log in with an e-mail address or a username",
        details: """
            Whether an account exists shows neither in the answer nor in its timing. Where the account has a second factor, the answer is no session \
            but `"mfa_required": true` with an `mfa_token`, which goes to `/api/v1/auth/mfa/login` with a code within 5 minutes.
            """,
        allow: .anyone, limit: .login, failures: [.unauthenticated])

    public let refresh = Endpoint<Refresh, Session>.post(
        "/api/v1/auth/refresh", "Exchange a refresh token for new tokens",
        details: """
            Each refresh token works once. Calls that race within a few seconds get the same successor; a later reuse ends every session \
            that descends from the same login. Without a token in the body, the cookie is used, and `Origin` is checked.
            """,
        allow: .anyone, failures: [.unauthenticated, .forbidden])

    public let logout = Endpoint<Refresh, NoContent>.post(
        "/api/v1/auth/logout", "End the session of a refresh token",
        details: "Every token that descends from the same login ends with it: refresh tokens and access tokens.",
        allow: .anyone, returns: .noContent, failures: [.unauthenticated, .forbidden])

    public let me = Endpoint<NoContent, User>.get("/api/v1/auth/me", "Read one's own account", allow: .signedIn)
}
