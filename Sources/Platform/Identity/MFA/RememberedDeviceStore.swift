import Foundation
import HTTPTypes
import MartletCore
import MartletIdentityAPI
import MartletStorage

/// The SQL of devices whose logins need the password alone. They end with a change of the second factor or of the password.
struct RememberedDeviceStore: Sendable {
    static let lifetime: Duration = .seconds(30 * 86_400)
    private let database: any Queries

    init(_ database: any Queries) {
        self.database = database
    }

    func remember(_ token: DeviceToken, named name: String?, of account: Identifier<Account>, at now: Date) async throws {
        let expiry = now.addingTimeInterval(Self.lifetime / .seconds(1))
        try await database.change(
            """
            INSERT INTO remembered_device (id, account_id, hash, name, created_at, expires_at)
            VALUES (\(Identifier<RememberedDevice>()), \(account), \(token.hash), \(name), \(now), \(expiry))
            """)
    }

    /// Whether the token is that of one of the account's devices; notes that it was used.
    func recognise(_ token: DeviceToken, of account: Identifier<Account>, at now: Date) async throws -> Bool {
        try await database.change(
            """
            UPDATE remembered_device SET last_used_at = \(now)
            WHERE hash = \(token.hash) AND account_id = \(account) AND expires_at > \(now)
            """) > 0
    }

    func list(of account: Identifier<Account>, at now: Date) async throws -> RememberedDevices {
        let devices = try await database.all(
            RememberedDevice.self,
            """
            SELECT id, name, created_at, last_used_at, expires_at FROM remembered_device
            WHERE account_id = \(account) AND expires_at > \(now) ORDER BY created_at DESC, id DESC LIMIT 100
            """)
        return RememberedDevices(devices: devices)
    }

    func forget(_ id: Identifier<RememberedDevice>, of account: Identifier<Account>) async throws {
        try await database.change(
            "DELETE FROM remembered_device WHERE id = \(id) AND account_id = \(account)",
            else: .notFound("device_not_found", "There is no such device."))
    }

    /// For whatever changes how the account is proven: in the same transaction.
    func forgetAll(of account: Identifier<Account>) async throws {
        try await database.change("DELETE FROM remembered_device WHERE account_id = \(account)")
    }
}

/// The device's token as a cookie, under the same rules as the refresh token's.
extension RefreshCookies {
    static let deviceName = "martlet_device"

    /// The token in the body, or else in the cookie, where the request's origin has been checked; `nil` for none, and for what is no token.
    func device(of request: HTTPRequest, orGiven given: DeviceToken?, isCookie: Bool) -> DeviceToken? {
        if let given { return given }
        guard isCookie, let text = cookie(Self.deviceName, of: request) else { return nil }
        do throws(Fault) { return try DeviceToken(text) } catch { return nil }
    }

    func setting(_ token: DeviceToken) -> HTTPFields {
        [.setCookie: "\(Self.deviceName)=\(token.raw); \(attributes); Max-Age=\(RememberedDeviceStore.lifetime.components.seconds)"]
    }
}
