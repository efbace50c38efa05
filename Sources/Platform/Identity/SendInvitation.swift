import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletJobs
import MartletMail
import MartletStorage

/// Writes to somebody who is invited into an organisation.
///
/// The secret is made when the mail is sent, so that none waits in a row. A mail that is sent once more holds another one, and that counts.
struct SendInvitation: Job {
    static let name = "identity.send_invitation"
    static let policy = JobPolicy(priority: .high)

    let invitation: Identifier<Invitation>
    let inviter: Identifier<Account>

    func run(_ work: Work<SendInvitation>, with service: IdentityService) async throws -> Outcome {
        guard let mail = service.mail, let user = try await AccountStore(service.database).first(inviter) else { return .done }
        let token = InvitationToken.random()
        guard let email = try await InvitationStore.renew(invitation, with: token, at: service.clock.now, service.database),
            let mailbox = Mailbox(email.raw)
        else { return .done }
        do {
            try await mail.mailer.send(mail.invitation(from: user, to: mailbox, with: token))
        } catch let failure as MailFailure where failure.isPermanent {
            return .discard(because: failure.description)
        }
        return .done
    }
}

extension AccountMail {
    func enqueueInvitation(_ invitation: Identifier<Invitation>, from inviter: Identifier<Account>, in transaction: any Transaction)
        async throws
    {
        try await jobs.enqueue(SendInvitation(invitation: invitation, inviter: inviter), in: transaction)
    }

    /// The organisation is not named: what people call it could carry words to a stranger's mailbox.
    fileprivate func invitation(from inviter: User, to mailbox: Mailbox, with token: InvitationToken) -> MailMessage {
        MailMessage(
            to: mailbox, subject: "An invitation",
            text: """
                Hello,

                \(inviter.username.raw) invites you to an organisation. Sign in or sign up with this address, and accept within a week:

                \(site)/join#token=\(token.raw)

                If you do not know who that is, do nothing.
                """)
    }
}
