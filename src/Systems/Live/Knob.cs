namespace ShmCheck.Systems.Live;

/// <summary>A setting of the machine: a file of one value under /proc/sys or /sys.</summary>
internal static class Knob
{
    /// <summary>vm.nr_hugepages.</summary>
    public const string HugePages = "/proc/sys/vm/nr_hugepages";

    /// <summary>vm.nr_overcommit_hugepages.</summary>
    public const string OvercommitHugePages = "/proc/sys/vm/nr_overcommit_hugepages";

    /// <summary>vm.hugetlb_shm_group.</summary>
    public const string HugetlbGroup = "/proc/sys/vm/hugetlb_shm_group";

    /// <summary>vm.overcommit_memory.</summary>
    public const string Overcommit = "/proc/sys/vm/overcommit_memory";

    /// <summary>vm.overcommit_ratio.</summary>
    public const string OvercommitRatio = "/proc/sys/vm/overcommit_ratio";

    /// <summary>vm.overcommit_kbytes: writing the ratio clears it.</summary>
    public const string OvercommitKilobytes = "/proc/sys/vm/overcommit_kbytes";

    /// <summary>vm.mmap_min_addr.</summary>
    public const string LowestAddress = "/proc/sys/vm/mmap_min_addr";

    /// <summary>vm.page-cluster: pages that swap-in reads ahead, as a power of two.</summary>
    public const string PageCluster = "/proc/sys/vm/page-cluster";

    /// <summary>Whether segments get transparent huge pages.</summary>
    public const string TransparentShmem = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

    /// <summary>Whether grace periods that somebody waits for are hurried up: the end of a
    /// namespace is one (ipc/namespace.c:free_ipc).</summary>
    public const string HurriedGracePeriods = "/sys/kernel/rcu_expedited";

    /// <summary>The value; of a list of choices the chosen one, which stands in brackets. Null
    /// when there is no such file, or it cannot be read.</summary>
    public static string? Read(string path)
    {
        try
        {
            string text = File.ReadAllText(path).Trim();
            int open = text.IndexOf('[', StringComparison.Ordinal);
            int close = text.IndexOf(']', StringComparison.Ordinal);
            return path.StartsWith("/sys/", StringComparison.Ordinal) && open >= 0 && close > open
                ? text[(open + 1)..close] : text;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether this process may write it. Opening changes nothing: only a write would.
    /// </summary>
    public static bool IsWritable(string path)
    {
        try
        {
            using var opened = new FileStream(path, FileMode.Open, FileAccess.Write);
            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
