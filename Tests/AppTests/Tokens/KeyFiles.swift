import Crypto
import Foundation
import MartletContract
import MartletCore
import MartletIdentityAPI
import MartletTestKit
import Testing

@testable import MartletIdentity

/// A private key as a file would hold it.
struct PEM: Sendable {
    let text: String

    static func p256() throws -> PEM { PEM(text: P256.Signing.PrivateKey().pemRepresentation) }

    static func ed25519() -> PEM { curve25519(0x70, Curve25519.Signing.PrivateKey().rawRepresentation) }

    /// PKCS#8 as RFC 8410 §7 has it; the last arc tells Ed25519 from X25519.
    static func curve25519(_ arc: UInt8, _ raw: Data) -> PEM {
        let bytes: [UInt8] = [0x30, 0x2E, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, arc, 4, 0x22, 4, 0x20]
        return PEM(text: armoured(Data(bytes) + raw, "PRIVATE KEY"))
    }

    static func armoured(_ bytes: Data, _ label: String) -> String {
        "-----BEGIN \(label)-----\n\(bytes.base64EncodedString(options: .lineLength64Characters))\n-----END \(label)-----\n"
    }

    /// Writes it; returns the path.
    func write(to folder: String, _ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }
}

@Suite("Files of token keys") struct FilesOfTokenKeys {
    @Test func areReadOnBothCurves() throws {
        #expect(try TokenKeyFile(pem: PEM.p256().text, path: "a.pem").published.alg == "ES256")
        #expect(try TokenKeyFile(pem: PEM.ed25519().text, path: "a.pem").published.alg == "EdDSA")
    }

    /// RFC 8410 §10.3.
    @Test func areReadAsTheStandardWritesThem() throws {
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
            -----END PRIVATE KEY-----
            """
        #expect(try TokenKeyFile(pem: pem, path: "a.pem").published.x == "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE")
    }

    static let wrong: [(String, String)] = [
        (P384.Signing.PrivateKey().pemRepresentation, "a key on P-384"), (P521.Signing.PrivateKey().pemRepresentation, "a key on P-521"),
        (P256.Signing.PrivateKey().publicKey.pemRepresentation, "a public key"),
        (PEM.curve25519(0x6E, Data(repeating: 7, count: 32)).text, "no such key"),
        (PEM.armoured(Data(repeating: 1, count: 100), "ENCRYPTED PRIVATE KEY"), "a key that needs a password"),
        (PEM.armoured(Data(repeating: 1, count: 100), "PRIVATE KEY"), "no such key"), ("", "no such key"), ("secret", "no such key"),
    ]

    @Test(arguments: wrong)
    func areRefusedInWordsThatNameThem(_ pem: String, _ kind: String) throws {
        let failure = #expect(throws: Failure.self) { try TokenKeyFile(pem: pem, path: "keys/a.pem") }
        #expect(failure?.message.hasPrefix("JWT_KEY_FILES: keys/a.pem holds \(kind): give a private key on P-256 or Ed25519") == true)
    }

    @Test func areRefusedWhenTheyAreGoneOrTheSame() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let key = try PEM.p256()
        let pems = [("a.pem", key), ("b.pem", PEM.ed25519()), ("c.pem", key)]
        let paths = try pems.map { try $1.write(to: folder.path, $0) }
        let same = #expect(throws: Failure.self) { try Self.keys(paths) }
        #expect(same?.message.contains("c.pem holds the same key as a file before it (kid ") == true)
        let gone = #expect(throws: Failure.self) { try Self.keys(["\(folder.path)/d.pem"]) }
        #expect(gone?.message.contains("d.pem cannot be read") == true)
        #expect(try Self.keys(Array(paths.prefix(2))).published.keys.map(\.alg) == ["ES256", "EdDSA"])
    }

    @Test func stayAsTheyWereWhenTheNewOnesAreNoGood() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let path = try PEM.p256().write(to: folder.path, "a.pem")
        let keys = try Self.keys([path])
        let before = keys.published
        try Data("nonsense".utf8).write(to: URL(filePath: path))
        #expect(throws: Failure.self) { try keys.reload() }
        #expect(keys.published == before)
        _ = try PEM.ed25519().write(to: folder.path, "a.pem")
        try keys.reload()
        #expect(keys.published.keys.map(\.alg) == ["EdDSA"])
    }

    private static func keys(_ paths: [String]) throws -> TokenKeys {
        let secret = Array("a secret of thirty-two bytes or more".utf8)
        var policy = IdentityPolicy.Tokens(signingSecret: secret, derivationSecret: secret, issuer: "martlet", audience: "martlet")
        policy.keyFiles = paths
        return try TokenKeys(policy)
    }
}

/// Examples out of the standards.
@Suite("Signatures of the standards") struct SignaturesOfTheStandards {
    static let examples: [(String, String, String)] = [
        (
            "RFC 7515 A.2",
            """
            {"kid":"key","kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}
            """,
            """
            eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw
            """
        ),
        (
            "RFC 7515 A.3",
            #"{"kid":"key","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            """
            eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q
            """
        ),
        (
            "RFC 8037 A.4",
            #"{"kid":"key","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        ),
    ]

    @Test(arguments: examples)
    func areGoodAndNoChangeOfThemIs(_ name: String, _ key: String, _ token: String) async throws {
        let set = try await KeySet.keys(in: Array(#"{"keys":[\#(key)]}"#.utf8), allowing: Set(TokenAlgorithm.allCases))
        let key = try #require(set["key"], "\(name)")
        let parts = token.split(separator: ".")
        let (text, signature) = (Array(parts[0...1].joined(separator: ".").utf8), try #require(Base64URL.decode(parts[2])))
        #expect(key.isSignature(signature, of: text), "\(name)")
        #expect(!key.isSignature(signature, of: text.dropLast() + [0]), "\(name)")
        for index in signature.indices {
            var changed = signature
            changed[index] ^= 1
            #expect(!key.isSignature(changed, of: text), "\(name): byte \(index)")
        }
        #expect(!key.isSignature(signature.dropLast(), of: text) && !key.isSignature(signature + [0], of: text), "\(name)")
    }

    /// RFC 8037 A.3.
    @Test func areMadeWithKeysNamedByTheirThumbprint() throws {
        let x = try #require(Base64URL.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
        let key = PublishedKey(try Curve25519.Signing.PublicKey(rawRepresentation: x))
        #expect(key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test func areNotCheckedWithRSAKeysThatAreTooSmallOrTooLarge() async throws {
        for bytes in [128, 255, 513, 2048] {
            let modulus = Base64URL.encode([0xC1] + [UInt8](repeating: 0x55, count: bytes - 1))
            let document = #"{"keys":[{"kid":"key","kty":"RSA","n":"\#(modulus)","e":"AQAB"}]}"#
            #expect(try await KeySet.keys(in: Array(document.utf8), allowing: [.rs256]).isEmpty, "\(bytes)")
        }
    }
}
