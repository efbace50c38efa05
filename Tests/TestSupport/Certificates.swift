import Foundation

/// A certificate for `localhost` that `root.pem` vouches for and `other-root.pem` does not.
public struct Certificates {
    let folder: String
    let openssl: String

    public init(folder: String, openssl: String) {
        (self.folder, self.openssl) = (folder, openssl)
    }

    public func make() async throws {
        for root in ["root", "other-root"] {
            try await run(["req", "-x509", "-days", "2", "-subj", "/CN=\(root)", "-out", path("\(root).pem")] + newKey(root))
        }
        try "subjectAltName=DNS:localhost\n".write(toFile: path("names"), atomically: true, encoding: .utf8)
        try await run(["req", "-subj", "/CN=localhost", "-out", path("server.csr")] + newKey("server"))
        try await run([
            "x509", "-req", "-in", path("server.csr"), "-CA", path("root.pem"), "-CAkey", path("root.key"), "-CAcreateserial", "-days", "2",
            "-extfile", path("names"), "-out", path("server.pem"),
        ])
    }

    public func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func newKey(_ name: String) -> [String] { ["-newkey", "rsa:2048", "-nodes", "-keyout", path("\(name).key")] }
    private func run(_ arguments: [String]) async throws { try await Program.runSuccessfully([openssl] + arguments) }
}
