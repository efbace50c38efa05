public import Foundation
public import MartletContract
public import MartletCore

/// What a login answers: the session, or, where the account has a second factor, what it takes to go on.
public enum LoginAnswer: Alternatives {
    case session(Session)
    case secondFactorNeeded(MFAChallenge)

    public static var alternatives: [any (Decodable & Sendable).Type] { [Session.self, MFAChallenge.self] }

    private enum CodingKeys: String, CodingKey { case accessToken }

    public init(from decoder: any Decoder) throws {
        let isSession = try decoder.container(keyedBy: CodingKeys.self).contains(.accessToken)
        self = isSession ? .session(try Session(from: decoder)) : .secondFactorNeeded(try MFAChallenge(from: decoder))
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .session(let session): try session.encode(to: encoder)
        case .secondFactorNeeded(let challenge): try challenge.encode(to: encoder)
        }
    }
}

/// The password was right, and a second factor is needed: send it with the token.
public struct MFAChallenge: Codable, Sendable {
    /// Always `true`: what tells this answer from a session.
    public var mfaRequired: Bool
    /// Good for one login, and for nothing else.
    public var mfaToken: MFAToken
    /// Seconds until the token expires.
    public var expiresIn: Int

    public init(mfaToken: MFAToken, expiresIn: Int) {
        self.mfaRequired = true
        self.mfaToken = mfaToken
        self.expiresIn = expiresIn
    }
}

/// The second half of a login: a code of the authenticator, or else a recovery code.
public struct MFALogin: Codable, Sendable {
    public var mfaToken: MFAToken
    public var code: TOTPCode?
    public var recoveryCode: RecoveryCode?
    /// Whether later logins on this device, within 30 days, are to need the password alone.
    public var rememberDevice: Bool?
    public var cookie: Bool?

    public init(
        mfaToken: MFAToken, code: TOTPCode? = nil, recoveryCode: RecoveryCode? = nil, rememberDevice: Bool? = nil, cookie: Bool? = nil
    ) {
        self.mfaToken = mfaToken
        self.code = code
        self.recoveryCode = recoveryCode
        self.rememberDevice = rememberDevice
        self.cookie = cookie
    }
}

/// What an authenticator has to know, in three forms; it is shown this once.
public struct MFASetup: Codable, Sendable, Concealed {
    /// In base32 (RFC 4648 §6), to be typed.
    public var secret: String
    /// `otpauth://totp/…`, as authenticators read it.
    public var uri: String
    /// The same as a QR code: an SVG image.
    public var svg: String

    public init(secret: String, uri: String, svg: String) {
        self.secret = secret
        self.uri = uri
        self.svg = svg
    }
}

/// The proof that the authenticator has been set up.
public struct MFAConfirmation: Codable, Sendable {
    public var code: TOTPCode

    public init(code: TOTPCode) {
        self.code = code
    }
}

/// Codes that take an authenticator's place when it is lost, each once. They are shown this once.
public struct RecoveryCodes: Codable, Sendable {
    public var recoveryCodes: [RecoveryCode]

    public init(recoveryCodes: [RecoveryCode]) {
        self.recoveryCodes = recoveryCodes
    }
}

/// Whether logins need a second factor.
public struct MFAStatus: Codable, Sendable, Equatable {
    public var isEnabled: Bool
    public var enabledAt: Date?
    public var recoveryCodesLeft: Int

    public init(isEnabled: Bool, enabledAt: Date?, recoveryCodesLeft: Int) {
        self.isEnabled = isEnabled
        self.enabledAt = enabledAt
        self.recoveryCodesLeft = recoveryCodesLeft
    }
}

/// Proof of who one is, again: the code where the account has a second factor, else the password. The other one counts for nothing.
public struct StepUp: Codable, Sendable {
    public var code: TOTPCode?
    public var password: GivenPassword?

    public init(code: TOTPCode? = nil, password: GivenPassword? = nil) {
        self.code = code
        self.password = password
    }
}

/// A new access token of the same session.
public struct FreshAccess: Codable, Sendable {
    public var accessToken: String
    public var tokenType: String
    /// Seconds until it expires.
    public var expiresIn: Int

    public init(accessToken: String, expiresIn: Int) {
        self.accessToken = accessToken
        self.tokenType = "Bearer"
        self.expiresIn = expiresIn
    }
}

/// A device on which logins need the password alone, for a while.
public struct RememberedDevice: Codable, Sendable, Equatable {
    public var id: Identifier<RememberedDevice>
    /// What the device called itself: its `User-Agent`, cut.
    public var name: String?
    public var createdAt: Date
    public var lastUsedAt: Date?
    public var expiresAt: Date

    public init(id: Identifier<RememberedDevice>, name: String?, createdAt: Date, lastUsedAt: Date?, expiresAt: Date) {
        self.id = id
        self.name = name
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
    }
}

public struct RememberedDevices: Codable, Sendable {
    public var devices: [RememberedDevice]

    public init(devices: [RememberedDevice]) {
        self.devices = devices
    }
}

public struct DeviceReference: Codable, Sendable {
    public var id: Identifier<RememberedDevice>

    public init(id: Identifier<RememberedDevice>) {
        self.id = id
    }
}
