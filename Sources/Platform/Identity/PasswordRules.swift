import MartletContract
import MartletCore
import MartletIdentityAPI

/// What a new password must not be (NIST SP 800-63B §5.1.1.2).
enum PasswordRules {
    static func check(_ registration: Registration) throws(Failure) {
        let password = registration.password.raw.lowercased()
        let mailbox = registration.email.raw.lowercased()
        let local = String(mailbox.prefix { $0 != "@" })
        let own = [mailbox, local, registration.username.raw.lowercased(), registration.name?.raw.lowercased()]
        if own.contains(password) { throw refusal("password_is_name", "The password must not be the name or the e-mail address.") }
        if CommonPasswords.contains(password) {
            throw refusal("password_too_common", "This password is one of the commonest: choose another.")
        }
    }

    private static func refusal(_ code: String, _ message: String) -> Failure {
        .invalid([Fault(pointer: "/password", code: code, message: message)])
    }
}
