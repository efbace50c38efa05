public import MartletContract
import MartletCore

/// Changing a password that one knows, and replacing one that was forgotten.
public struct PasswordsAPI: API {
    public static let shared = PasswordsAPI()
    public static let name = "password"

    public let change = Endpoint<PasswordChange, NoContent>.post(
        "/api/v1/auth/password", "Change one's password",
        details: "All other sessions end, and their access at once; the one that calls goes on.",
        allow: .loggedIn, returns: .noContent, limit: .login, failures: [.forbidden, .conflict])

    public let forgot = Endpoint<ForgottenPassword, NoContent>.post(
        "/api/v1/auth/password/forgot", "Ask for a mail with which to choose a new password",
        details: """
            The mail leads to the page `/reset-password#token=…` of the server's public address, and works once within an hour. Whether an account \
            has the address shows neither in the answer nor in its timing.
            """,
        allow: .anyone, returns: .accepted, limit: .login, failures: [.unavailable])

    public let reset = Endpoint<PasswordReset, NoContent>.post(
        "/api/v1/auth/password/reset", "Choose a new password with the token of a mail",
        details: "All sessions end, and their access at once. A token that was used, replaced by a newer one or is too old is refused.",
        allow: .anyone, returns: .noContent, limit: .login, failures: [.unauthenticated])
}

/// The password that somebody has, and the one that they want.
public struct PasswordChange: Codable, Sendable {
    public var currentPassword: GivenPassword
    public var newPassword: Password

    public init(currentPassword: GivenPassword, newPassword: Password) {
        self.currentPassword = currentPassword
        self.newPassword = newPassword
    }
}

/// Whose password was forgotten.
public struct ForgottenPassword: Codable, Sendable {
    public var email: EmailAddress

    public init(email: EmailAddress) {
        self.email = email
    }
}

/// The token of a mail, and the password that is wanted.
public struct PasswordReset: Codable, Sendable {
    public var token: MailToken
    public var newPassword: Password

    public init(token: MailToken, newPassword: Password) {
        self.token = token
        self.newPassword = newPassword
    }
}
