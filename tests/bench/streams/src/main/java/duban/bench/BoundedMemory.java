package duban.bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.WriteBufferManager;

/** One bound for all stores' memory, index and filter blocks and memtables included. */
public final class BoundedMemory implements RocksDBConfigSetter {
    private static final long TOTAL = 256L << 20;
    private static final long MEMTABLES = 96L << 20;
    private static final double INDEX_AND_FILTERS = 0.1;
    private static final Cache CACHE = new LRUCache(TOTAL, -1, false, INDEX_AND_FILTERS);
    private static final WriteBufferManager BUFFERS = new WriteBufferManager(MEMTABLES, CACHE);

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        table.setCacheIndexAndFilterBlocks(true);
        table.setCacheIndexAndFilterBlocksWithHighPriority(true);
        table.setPinTopLevelIndexAndFilter(true);
        options.setWriteBufferManager(BUFFERS);
        options.setTableFormatConfig(table);
    }

    @Override
    public void close(String storeName, Options options) {
        // Cache and buffers are shared: they live as long as the process.
    }
}
