import Foundation

/// The folder that relative paths in settings start from.
struct WorkingFolder: Sendable {
    let path: String

    func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : URL(filePath: path, relativeTo: URL(filePath: self.path, directoryHint: .isDirectory)).path
    }
}

extension Kind where Value == String {
    /// A file or folder that need not exist; the value is absolute.
    static var path: Kind {
        Kind("path", write: { $0 }) { (text, folder) throws(Refusal) in
            guard !text.isEmpty, !text.hasControlCharacters else { throw Refusal(repair: "Give a path without control characters.") }
            return folder.absolute(text)
        }
    }

    /// A file that can be read now; the value is absolute.
    static var readableFile: Kind {
        Kind("path of a file", write: { $0 }) { (text, folder) throws(Refusal) in
            let path = try Kind.path.parse(text, folder)
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw Refusal(repair: "Give the path of a file that exists.")
            }
            guard !isFolder.boolValue, FileManager.default.isReadableFile(atPath: path) else {
                throw Refusal(repair: "Give the path of a file that this user may read.")
            }
            return path
        }
    }
}

/// Where the data is: the engine is chosen by the URL's scheme.
///
/// Printing, dumping or reflecting it shows no password.
public enum DatabaseURL: Sendable, Hashable, CustomStringConvertible {
    /// A file; once loaded, the path is absolute.
    case sqlite(path: String)
    /// A database on a server.
    case postgres(PostgresURL)

    /// Reads what `DATABASE_URL` may be.
    ///
    /// - Parameters:
    ///   - name: where the text came from, such as `--to`, for the fault.
    ///   - folder: where relative paths start.
    /// - Throws: what is wrong with it, without its password.
    public init(_ text: String, named name: String, folder: String) throws(SettingFault) {
        do {
            self = try Kind.databaseURL.parse(text, WorkingFolder(path: folder))
        } catch {
            throw SettingFault(name: name, found: Shown.quoted(Shown.value(text, isSecret: false)), repair: error.repair)
        }
    }

    public var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let url): url.description
        }
    }
}

extension Kind where Value == DatabaseURL {
    static var databaseURL: Kind {
        Kind("database URL", write: \.description) { (text, folder) throws(Refusal) in
            guard !PostgresURL.isMeant(by: text) else { return .postgres(try PostgresURL(text)) }
            guard let path = sqlitePath(text) else {
                throw Refusal(
                    repair:
                        "Give sqlite:relative/path or sqlite:///absolute/path of a file, or postgres://user:password@host:5432/database.")
            }
            return .sqlite(path: folder.absolute(path))
        }
    }

    private static func sqlitePath(_ text: String) -> String? {
        guard text.hasPrefix("sqlite:"), !text.hasControlCharacters else { return nil }
        var path = text.dropFirst("sqlite:".count)
        if path.hasPrefix("//") { path = path.dropFirst(2) }
        // `sqlite://host/…` names a machine; in-memory databases and SQLite's URI parameters have no place here.
        let namesHost = text.hasPrefix("sqlite://") && !path.hasPrefix("/")
        let isFile = !path.isEmpty && !path.hasSuffix("/") && !path.hasPrefix(":") && !path.contains { $0 == "?" || $0 == "#" }
        return isFile && !namesHost ? String(path) : nil
    }
}
