import Foundation

/// Gives `body` a folder that every user may pass, and removes it afterwards.
func withPublicFolder(_ body: (URL) async throws -> Void) async throws {
    let folder = URL(fileURLWithPath: "/tmp/martlet-test-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    do { try await body(folder) } catch {
        try? FileManager.default.removeItem(at: folder)
        throw error
    }
    try FileManager.default.removeItem(at: folder)
}
