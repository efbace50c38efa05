import Foundation
import MartletPostgres
import MartletStorage
import MartletTestSupport
import Testing

/// A PostgreSQL server of a test's own that accepts TLS only, with a certificate for `localhost`.
struct SecureServer {
    static let password = "p:w@d/%s secret"

    private let folder: URL
    private let port: Int

    /// Runs `body` beside the server, which ends with it. Where PostgreSQL's or OpenSSL's programs are missing, nothing runs.
    static func run(_ body: (SecureServer) async throws -> Void) async throws {
        guard let initdb = Program.findOrWarn("initdb"), let postgres = Program.findOrWarn("postgres"),
            let openssl = Program.findOrWarn("openssl")
        else { return }
        try await withPublicFolder { folder in
            try await Certificates(folder: folder, openssl: openssl).make()
            let data = folder.appendingPathComponent("data").path
            try password.write(to: folder.appendingPathComponent("password"), atomically: true, encoding: .utf8)
            if geteuid() == 0 { try await Program.runSuccessfully(["chown", "-R", "postgres", folder.path]) }
            try await Program.runSuccessfully(
                Program.unprivileged + [
                    initdb, "-D", data, "-U", "martlet", "--auth=scram-sha-256", "--pwfile=\(folder.path)/password", "--encoding=UTF8",
                    "--locale=C", "--no-sync",
                ])
            let server = SecureServer(folder: folder, port: Int.random(in: 20_000..<32_000))
            try await Program.beside(server.command(postgres, data), endedBy: SIGQUIT) {
                try await server.answers()
                try await body(server)
            }
        }
    }

    private func command(_ postgres: String, _ data: String) -> [String] {
        let settings = [
            "listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=", "fsync=off", "ssl=on",
            "ssl_cert_file=\(folder.path)/server.pem", "ssl_key_file=\(folder.path)/server.key",
        ]
        return Program.unprivileged + [postgres, "-D", data] + settings.flatMap { ["-c", $0] }
    }

    private func answers() async throws {
        let database = try PostgresDatabase(url: url(mode: "require"), settings: .unshared(1), logger: .silent)
        do {
            try await eventually("the server answers") { (try? await database.first(Int.self, "SELECT 1")) == 1 }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    /// - Parameter root: The certificate that is trusted: `root` or `other-root`.
    func url(host: String = "localhost", mode: String, root: String? = nil, password: String = password) -> String {
        let secret = password.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let trusted = root.map { "&sslrootcert=\(folder.path)/\($0).pem" } ?? ""
        return "postgresql://martlet:\(secret)@\(host):\(port)/postgres?sslmode=\(mode)\(trusted)"
    }
}

private struct Certificates {
    let folder: URL
    let openssl: String

    func make() async throws {
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

    private func newKey(_ name: String) -> [String] { ["-newkey", "rsa:2048", "-nodes", "-keyout", path("\(name).key")] }
    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
    private func run(_ arguments: [String]) async throws { try await Program.runSuccessfully([openssl] + arguments) }
}
