import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI

/// What a token of another issuer says (RFC 7519 §4.1), once it was found to be for us and of now.
struct ExternalClaims: Sendable {
    let subject: String
    /// In seconds since 1970.
    let issuedAt: TimeInterval
    let expiresAt: TimeInterval
    let email: EmailAddress?
    let isEmailVerified: Bool
    let username: String?
    let name: PersonName?
    /// By our names.
    let roles: Set<String>

    /// Reads the claims of a token, whose signature is another matter. Throws `invalid_token` and `token_expired`.
    ///
    /// `iat` is mandatory, since access is ended by it, and so is an end within a day of it, since what was ended is not remembered for ever.
    init(_ claims: JSON, of issuer: ExternalIssuer, at now: TimeInterval) throws(Failure) {
        guard claims["iss"]?.text == issuer.issuer, claims.names(audience: issuer.audience),
            let subject = claims["sub"]?.text, (1...255).contains(subject.utf8.count), !subject.utf8.contains(0),
            let issuedAt = claims["iat"]?.double, let expiresAt = claims["exp"]?.double,
            let notBefore = (claims["nbf"] ?? .number("0")).double, max(issuedAt, notBefore) <= now + AccessTokens.leeway,
            expiresAt - issuedAt <= ExternalTokens.longestLifetime
        else { throw .invalidToken }
        guard now < expiresAt + AccessTokens.leeway else { throw .tokenExpired }
        (self.subject, self.issuedAt, self.expiresAt) = (subject, issuedAt, expiresAt)
        email = claims.text(at: issuer.claims.email).flatMap(EmailAddress.init(reading:))
        isEmailVerified = claims["email_verified"] == .bool(true)
        username = claims.text(at: issuer.claims.username)
        name = claims.text(at: issuer.claims.name).flatMap(PersonName.init(reading:))
        roles = Set((issuer.claims.roles.map(claims.texts) ?? []).compactMap { issuer.roles[$0] })
    }
}

extension JSON {
    /// `aud` is one name or several (RFC 7519 §4.1.3).
    fileprivate func names(audience: String) -> Bool {
        switch self["aud"] {
        case .string(let name): name == audience
        case .array(let names): names.contains(.string(audience))
        default: false
        }
    }

    private func value(at path: [String]) -> JSON? {
        path.reduce(self) { value, name in value?[name] }
    }

    fileprivate func text(at path: [String]) -> String? { value(at: path)?.text }

    /// The texts of a list, or one alone.
    fileprivate func texts(at path: [String]) -> [String] {
        switch value(at: path) {
        case .string(let text): [text]
        case .array(let elements): elements.compactMap(\.text)
        default: []
        }
    }
}

extension Parsed {
    /// What others write need not follow our rules; then it is as if it were not there.
    fileprivate init?(reading raw: Raw) {
        do throws(Fault) { try self.init(raw) } catch { return nil }
    }
}
