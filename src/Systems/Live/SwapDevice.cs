using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace ShmCheck.Systems.Live;

/// <summary>A swap device of the run's own: a zram device, which takes pages within the call, or
/// a file on a disk, which takes them later.</summary>
internal sealed partial class SwapDevice
{
    /// <summary>The most slots a run may ask for.</summary>
    public const int MostSlots = 1024;

    private const string Swaps = "/proc/swaps";
    private const string ZramControl = "/sys/class/zram-control/hot_add";
    private const int HeaderStart = 1024;
    private const string Magic = "SWAPSPACE2";

    private readonly int _pageSize;

    private SwapDevice(string path, ulong pageSize)
    {
        Path = path;
        _pageSize = (int)pageSize;
    }

    /// <summary>The device or file.</summary>
    public string Path { get; }

    /// <summary>Slots it has been made for; 0 before the first time.</summary>
    public ulong Slots { get; private set; }

    /// <summary>Paths of all swap devices of the machine that are in use.</summary>
    public static IReadOnlyList<string> InUse =>
        [.. (Knob.Read(Swaps) ?? "").Split('\n').Skip(1).Select(line => line.Split(' ', '\t')[0])];

    /// <summary>Why there can be no zram device; null when there can.</summary>
    public static string? LackOfZram => FreeZram() is not null || File.Exists(ZramControl) ? null
        : "no free zram device (modprobe zram)";

    /// <summary>A zram device of the run's own.</summary>
    public static SwapDevice TakeZram(ulong pageSize, KnobJournal journal)
    {
        string name = FreeZram() ?? "zram" + (Knob.Read(ZramControl)
            ?? throw new SystemUnavailableException(LackOfZram ?? "zram: no device can be added"));
        journal.Add(new UndoAction.ResetZram(name));
        journal.Add(new UndoAction.StopSwap($"/dev/{name}"));
        ulong bytes = (MostSlots + 1) * pageSize;
        File.WriteAllText($"/sys/block/{name}/disksize", $"{bytes}");
        return new SwapDevice($"/dev/{name}", pageSize);
    }

    /// <summary>A swap file.</summary>
    /// <param name="path">Where; on a file system of a disk.</param>
    /// <param name="pageSize">Base page size in bytes.</param>
    /// <param name="journal">Takes note of it.</param>
    public static SwapDevice TakeFile(string path, ulong pageSize, KnobJournal journal)
    {
        journal.Add(new UndoAction.DeleteFile(path));
        journal.Add(new UndoAction.StopSwap(path));
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        byte[] page = new byte[pageSize];
        for (int slot = 0; slot <= MostSlots; slot++)
        {
            file.Write(page);
        }

        file.Flush(flushToDisk: true);
        return new SwapDevice(path, pageSize);
    }

    /// <summary>Takes a device out of use. Does not look for it in /proc/swaps: what a process in
    /// a mount namespace that is gone has put to use stands there under another path.</summary>
    /// <returns>Whether it was in use.</returns>
    public static bool Stop(string path) => swapoff(path) == 0;

    /// <summary>Sees to it that the device is in use, with so many slots; for none, that it is
    /// not.</summary>
    public void Use(ulong slots)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slots, (ulong)MostSlots);
        if (slots == Slots && InUse.Contains(Path))
        {
            return;
        }

        Stop(Path);
        if (slots == 0)
        {
            return;
        }

        if (slots != Slots)
        {
            WriteHeader(slots);
            Slots = slots;
        }

        if (swapon(Path, 0) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            throw new SystemUnavailableException(
                $"swapon {Path}: {new Win32Exception(error).Message}");
        }
    }

    private static string? FreeZram() => !Directory.Exists("/sys/block") ? null
        : Directory.EnumerateDirectories("/sys/block", "zram*")
            .Where(device => Knob.Read(System.IO.Path.Combine(device, "disksize")) == "0")
            .Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>The first page of a swap device says how long it is (mkswap(8); union swap_header
    /// of include/linux/swap.h). A shorter length than the device has is fine.</summary>
    private void WriteHeader(ulong slots)
    {
        byte[] header = new byte[_pageSize];
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderStart), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderStart + 4), (uint)slots);
        Encoding.ASCII.GetBytes(Magic, header.AsSpan(_pageSize - Magic.Length));
        using var device = new FileStream(Path, FileMode.Open, FileAccess.Write);
        device.Write(header);
        device.Flush(flushToDisk: true);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int swapon(string path, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int swapoff(string path);
}
