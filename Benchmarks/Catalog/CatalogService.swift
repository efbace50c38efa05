import MartletContract
import MartletHTTP
import MartletService
import MartletStorage

struct CatalogService: Service {
    let database: any Database

    var operations: [NamedOperation] { CatalogAPI.operations }
    static var migrations: [Migration] { [] }
    static var tables: [StoredTable] { [] }

    var routes: [Route] {
        [
            serve(open: CatalogAPI.products) { query, _ in Reply(try await list(query.limit?.raw ?? 20)) },
            serve(open: CatalogAPI.kept) { query, _ in Reply(try await list(query.limit?.raw ?? 20)) },
        ]
    }

    /// The same statement as the peers'.
    private func list(_ limit: Int) async throws -> ProductList {
        let items = try await database.all(
            Product.self,
            """
            SELECT p.id, p.sku, p.name_en, p.name_ar, p.description, p.category_id, p.stock, p.is_active, p.image_url, p.updated_at,
                pp.amount_cents AS price_cents, pp.currency
            FROM products p JOIN product_prices pp ON pp.product_id = p.id AND pp.price_list = 'retail'
            WHERE p.is_active ORDER BY p.id LIMIT \(limit)
            """)
        return ProductList(items: items, count: items.count, limit: limit)
    }
}
