import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
public import MartletJobs
public import MartletMail
import MartletStorage

/// How people are written to about their accounts.
public struct AccountMail: Sendable {
    let mailer: any Mailer
    /// What every link begins with: never taken from a request, so that nobody can have a link sent that leads to them.
    let site: String
    let jobs: Jobs

    /// - Parameter site: How browsers reach the server, without a slash at the end.
    public init(_ mailer: any Mailer, site: String, jobs: Jobs) {
        (self.mailer, self.site, self.jobs) = (mailer, site, jobs)
    }

    /// Has a mail sent once the caller's transaction is committed.
    ///
    /// The job says what is to be said to whom. The secret is made when the mail is sent, so that none waits in a row.
    ///
    /// - Parameter isInvitation: Whether it is the first that somebody hears of an account which was made for them.
    func enqueue(
        _ purpose: MailPurpose, to account: Identifier<Account>, isInvitation: Bool = false, at now: Date, in transaction: any Transaction
    ) async throws {
        let job = SendAccountMail(account: account, purpose: purpose, requestedAt: now, isInvitation: isInvitation ? true : nil)
        try await jobs.enqueue(job, in: transaction)
    }

    static let unavailable = Failure.unavailable("mail_unavailable", "This server sends no mail.", retryAfterSeconds: 3_600)
}

/// What a mail is for. Stored names are for ever.
enum MailPurpose: String, Codable, Sendable {
    case resetPassword = "reset_password"
    case verifyEmail = "verify_email"

    /// How long the token of such a mail is good.
    var lifetime: Duration {
        switch self {
        case .resetPassword: .seconds(3_600)
        case .verifyEmail: .seconds(86_400)
        }
    }
}

extension AccountMail {
    /// The token stands behind the `#`, which browsers send to no server and name to no other page.
    func message(
        _ purpose: MailPurpose, to user: User, _ mailbox: Mailbox, with token: MailToken, isInvitation: Bool = false
    ) -> MailMessage {
        // The username has letters, digits, _ and - only: what else people call themselves could carry words to a stranger's mailbox.
        switch purpose {
        case .resetPassword where isInvitation:
            MailMessage(
                to: mailbox, subject: "Your new account",
                text: """
                    Hello \(user.username.raw),

                    an account was made for you. Choose its password here within an hour:

                    \(site)/reset-password#token=\(token.raw)

                    Later, ask there for another link, as if you had forgotten the password.
                    """)
        case .resetPassword:
            MailMessage(
                to: mailbox, subject: "Choose a new password",
                text: """
                    Hello \(user.username.raw),

                    somebody, hopefully you, asked for a new password. Choose it here within an hour:

                    \(site)/reset-password#token=\(token.raw)

                    If it was not you, do nothing: your password stays as it is.
                    """)
        case .verifyEmail:
            MailMessage(
                to: mailbox, subject: "Is this your e-mail address?",
                text: """
                    Hello \(user.username.raw),

                    somebody, hopefully you, signed up with this address. Confirm within a day that it is yours:

                    \(site)/verify-email#token=\(token.raw)

                    If it was not you, do nothing.
                    """)
        }
    }
}
