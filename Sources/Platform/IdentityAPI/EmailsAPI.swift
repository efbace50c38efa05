public import MartletContract
import MartletCore

/// Proving that mail to one's address reaches one.
public struct EmailsAPI: API {
    public static let shared = EmailsAPI()
    public static let name = "email"

    public let verify = Endpoint<EmailVerification, NoContent>.post(
        "/api/v1/auth/email/verify", "Prove with the token of a mail that it reached its reader",
        details: """
            Who signs up is sent one; it leads to the page `/verify-email#token=…` of the server's public address, and works once within 24 hours. A \
            token that was used, replaced by a newer one or is too old is refused.
            """,
        allow: .anyone, returns: .noContent, limit: .login, failures: [.unauthenticated])

    public let resend = Endpoint<NoContent, NoContent>.post(
        "/api/v1/auth/email/verify/resend", "Ask for that mail again",
        details: "The token of an earlier one ends when it is sent. An address that is verified already is sent none.",
        allow: .loggedIn, returns: .accepted, limit: .login, failures: [.unavailable])
}

/// The token of a mail.
public struct EmailVerification: Codable, Sendable {
    public var token: MailToken

    public init(token: MailToken) {
        self.token = token
    }
}
