import MartletContract
import MartletCore
import MartletIdentityAPI

/// What a new password must not be (NIST SP 800-63B §5.1.1.2).
enum PasswordRules {
    static func check(_ registration: Registration) throws(Failure) {
        try check(
            registration.password, ofOwner: registration.email, registration.username, registration.name, at: "/password")
    }

    /// - Parameter pointer: Where the password stands in the input.
    static func check(_ password: Password, of owner: User, at pointer: String) throws(Failure) {
        try check(password, ofOwner: owner.email, owner.username, owner.name, at: pointer)
    }

    /// The same for an account that there is not yet.
    static func check(
        _ password: Password, ofOwner email: EmailAddress, _ username: Username, _ name: PersonName?, at pointer: String
    ) throws(Failure) {
        let password = password.raw.lowercased()
        let mailbox = email.raw.lowercased()
        let own = [mailbox, String(mailbox.prefix { $0 != "@" }), username.raw.lowercased(), name?.raw.lowercased()]
        if own.contains(password) {
            throw refusal(pointer, Fault(code: "password_is_name", message: "The password must not be the name or the e-mail address."))
        }
        if CommonPasswords.contains(password) {
            throw refusal(
                pointer, Fault(code: "password_too_common", message: "This password is one of the commonest: choose another."))
        }
    }

    private static func refusal(_ pointer: String, _ fault: Fault) -> Failure {
        .invalid([Fault(pointer: pointer, code: fault.code, message: fault.message)])
    }
}
