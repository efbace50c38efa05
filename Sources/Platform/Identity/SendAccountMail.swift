import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletJobs
import MartletMail
import MartletStorage

/// Writes to somebody about their account.
///
/// It may be that nobody has the account: whoever asks about an address is answered the same, and so is the queue.
struct SendAccountMail: Job {
    static let name = "identity.send_mail"
    static let policy = JobPolicy(priority: .high)

    let account: Identifier<Account>
    let purpose: MailPurpose
    let requestedAt: Date
    /// Whether the account was made for them. Absent in jobs of earlier releases.
    var isInvitation: Bool?

    func run(_ work: Work<SendAccountMail>, with service: IdentityService) async throws -> Outcome {
        guard let mail = service.mail, let user = try await recipient(in: service.database), let mailbox = Mailbox(user.email.raw) else {
            return .done
        }
        let token = MailToken.random()
        try await MailTokenStore(service.database).put(token, purpose, for: user, at: service.clock.now)
        do {
            try await mail.mailer.send(mail.message(purpose, to: user, mailbox, with: token, isInvitation: isInvitation == true))
        } catch let failure as MailFailure where failure.isPermanent {
            return .discard(because: failure.description)
        }
        return try await work.finish { try await MailTokenStore($0).noteSent(token, at: service.clock.now) }
    }

    /// `nil` when there is nobody, or nothing to say any more: the address was verified, or a later job has sent the mail.
    private func recipient(in database: any Database) async throws -> User? {
        guard let user = try await AccountStore(database).first(account) else { return nil }
        if purpose == .verifyEmail, user.emailVerifiedAt != nil { return nil }
        return try await MailTokenStore(database).wasSent(purpose, to: account, after: requestedAt) ? nil : user
    }
}
