public import MartletContract
import MartletCore

/// A second factor at logins, and proof of who one is where much is at stake.
public struct MFAAPI: API {
    public static let shared = MFAAPI()
    public static let name = "mfa"

    public let login = Endpoint<MFALogin, Session>.post(
        "/api/v1/auth/mfa/login{?cookie}", "Finish a login with a second factor",
        details: """
            Each code works once, and so does the `mfa_token`, when the code is right. With `remember_device`, later logins on the device need the \
            password alone, for 30 days: send its `device_token` with them. With `?cookie=true`, both tokens come as HttpOnly cookies instead.
            """,
        allow: .anyone, limit: .login, failures: [.unauthenticated, .forbidden])

    public let status = Endpoint<NoContent, MFAStatus>.get(
        "/api/v1/auth/mfa", "See whether one's logins need a second factor", allow: .loggedIn)

    public let begin = Endpoint<NoContent, MFASetup>.post(
        "/api/v1/auth/mfa/begin", "Get what an authenticator has to know",
        details: "Nothing changes before the first code is confirmed; asking again replaces the secret.",
        allow: .loggedIn, recent: recently, failures: [.conflict])

    public let confirm = Endpoint<MFAConfirmation, RecoveryCodes>.post(
        "/api/v1/auth/mfa/confirm", "Turn the second factor on with the first code",
        details: "The recovery codes in the answer are shown this once.",
        allow: .loggedIn, recent: recently, failures: [.conflict, .forbidden])

    public let disable = Endpoint<NoContent, NoContent>.post(
        "/api/v1/auth/mfa/disable", "Turn the second factor off",
        details: "Its secret, the recovery codes and the remembered devices are removed. Where the account's roles demand it, it stays.",
        allow: .loggedIn, recent: recently, returns: .noContent, failures: [.conflict])

    public let recoveryCodes = Endpoint<NoContent, RecoveryCodes>.post(
        "/api/v1/auth/mfa/recovery-codes", "Get new recovery codes", details: "Those from before end. The new ones are shown this once.",
        allow: .loggedIn, recent: recently, failures: [.conflict])

    public let devices = Endpoint<NoContent, RememberedDevices>.get(
        "/api/v1/auth/mfa/devices", "List the devices whose logins need the password alone", allow: .loggedIn)

    public let forgetDevice = Endpoint<DeviceReference, NoContent>.delete(
        "/api/v1/auth/mfa/devices/{id}", "Ask for a second factor on a device again", allow: .loggedIn, failures: [.notFound])

    public let stepUp = Endpoint<StepUp, FreshAccess>.post(
        "/api/v1/auth/step-up", "Prove again who one is",
        details: """
            Takes the authenticator's code where the account has a second factor, else the password. The answer is an access token of the same \
            session, with a new `auth_time`; operations with `x-recent-authentication` take it for that many seconds.
            """,
        allow: .loggedIn, limit: .login, failures: [.forbidden])

    /// How long a proof is good for what concerns the proofs themselves.
    private static let recently = Duration.seconds(600)
}
