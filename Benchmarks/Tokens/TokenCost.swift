// token-cost: what it takes to find out who calls: `swift run -c release token-cost`. No more than 25 µs of CPU for a request is wanted,
// whatever its token was signed with, since callers come again with the same token.

import Crypto
import Foundation
import HTTPTypes
import Logging
import MartletApp
import MartletHTTP
import MartletIdentity
import MartletSettings

@main struct TokenCost {
    private static let (rounds, tokens) = (200_000, 5_000)

    static func main() async throws {
        let folder = NSTemporaryDirectory() + "token-cost-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (p256, ed25519) = (P256.Signing.PrivateKey(), Curve25519.Signing.PrivateKey())
        let secret = "a secret of thirty-two bytes or more"
        try await measure("HS256", folder, nil, id: nil) { text in
            Data(HMAC<SHA256>.authenticationCode(for: text, using: SymmetricKey(data: Data(secret.utf8))))
        }
        let (x, y) = (url64(p256.publicKey.rawRepresentation.prefix(32)), url64(p256.publicKey.rawRepresentation.suffix(32)))
        let ellipticID = thumbprint(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#)
        try await measure("ES256", folder, p256.pemRepresentation, id: ellipticID) { try p256.signature(for: $0).rawRepresentation }
        let edwardsID = thumbprint(#"{"crv":"Ed25519","kty":"OKP","x":"\#(url64(ed25519.publicKey.rawRepresentation))"}"#)
        try await measure("EdDSA", folder, pem(ed25519), id: edwardsID) { try ed25519.signature(for: $0) }
    }

    /// Prints the CPU time of a request whose token is seen for the first time, and of one whose token is known.
    private static func measure(
        _ algorithm: String, _ folder: String, _ key: String?, id: String?, _ sign: @Sendable (Data) throws -> Data
    ) async throws {
        let authenticator = try await authenticator(folder, key)
        let requests = try (0..<tokens).map { try request(with: token(algorithm, id, number: $0, sign)) }
        try await measure("\(algorithm), seen for the first time", requests, tokens, authenticator)
        try await measure("\(algorithm), known", Array(requests.suffix(100)), rounds, authenticator)
    }

    private static func measure(
        _ name: String, _ requests: [HTTPRequest], _ count: Int, _ authenticator: any Authenticator
    ) async throws {
        let start = clock()
        for round in 0..<count {
            guard try await authenticator.caller(of: requests[round % requests.count]) != nil else { preconditionFailure("nobody called") }
        }
        let microseconds = Double(clock() - start) / Double(CLOCKS_PER_SEC) * 1_000_000 / Double(count)
        print("\(name): \((microseconds * 100).rounded() / 100) µs")
    }

    private static func authenticator(_ folder: String, _ key: String?) async throws -> any Authenticator {
        var environment = [
            "ENVIRONMENT": "test", "DATABASE_URL": "sqlite://\(folder)/martlet.db",
            "JWT_SECRET_KEY": "a secret of thirty-two bytes or more",
        ]
        if let key {
            try Data(key.utf8).write(to: URL(filePath: "\(folder)/key.pem"))
            environment["JWT_KEY_FILES"] = "\(folder)/key.pem"
        }
        let settings = try Settings.load(environment: environment, arguments: [], folder: folder)
        let app = try await App(settings, logger: Logger(label: "token-cost") { _ in SwiftLogNoOpLogHandler() })
        guard let identity = app.services.compactMap({ $0 as? IdentityService }).first else { preconditionFailure("no accounts") }
        return identity.authenticator
    }

    private static func token(_ algorithm: String, _ id: String?, number: Int, _ sign: @Sendable (Data) throws -> Data) throws -> String {
        let name = id.map { #","kid":"\#($0)""# } ?? ""
        let now = Int(Date().timeIntervalSince1970)
        let claims = """
            {"sub":"019bc05e-9a40-7c3d-8e11-5f0a4b7d2291","sid":"019bc05e-9a40-7c3d-8e11-5f0a4b7d2292","iat":\(now).123,"exp":\(now + 1800),\
            "iss":"martlet","aud":"martlet","jti":"\(number)","scope":"bookmarks:read bookmarks:write jobs:read"}
            """
        let text = url64(Data(#"{"alg":"\#(algorithm)"\#(name),"typ":"JWT"}"#.utf8)) + "." + url64(Data(claims.utf8))
        return "\(text).\(url64(try sign(Data(text.utf8))))"
    }

    private static func request(with token: String) -> HTTPRequest {
        HTTPRequest(
            method: .get, scheme: nil, authority: nil, path: "/api/v1/auth/me", headerFields: [.authorization: "Bearer \(token)"])
    }

    private static func thumbprint(_ members: String) -> String { url64(Data(SHA256.hash(data: Data(members.utf8)))) }

    private static func pem(_ key: Curve25519.Signing.PrivateKey) -> String {
        let head: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x70, 4, 0x22, 4, 0x20]
        return "-----BEGIN PRIVATE KEY-----\n\((Data(head) + key.rawRepresentation).base64EncodedString())\n-----END PRIVATE KEY-----\n"
    }

    private static func url64(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
