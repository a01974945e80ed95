using System.Globalization;
using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>Writes to /proc/sys and to the pools of huge pages in /sys.</summary>
internal static class KernelSettings
{
    private const string Pools = "/sys/kernel/mm/hugepages/";

    /// <summary>Whether a descriptor is that of a setting that the model knows.</summary>
    public static bool IsSetting(FileDescriptor descriptor) =>
        IsPool(descriptor) || NameOf(descriptor) is not null;

    /// <summary>Whether a descriptor is that of a pool of huge pages.</summary>
    public static bool IsPool(FileDescriptor descriptor) =>
        descriptor.Path?.StartsWith(Pools, StringComparison.Ordinal) == true;

    /// <summary>The setting that a descriptor belongs to.</summary>
    public static Sysctl? NameOf(FileDescriptor descriptor)
    {
        foreach (Sysctl name in Enum.GetValues<Sysctl>())
        {
            if (descriptor.Sysctl == SysctlText.Of(name))
            {
                return name;
            }
        }

        return null;
    }

    /// <summary>The number that is written, if it is one and shown in full.</summary>
    public static ulong? ValueOf(WriteArguments write)
    {
        if (write.Text is not { IsCut: false } text)
        {
            return null;
        }

        string digits = text.Text.Trim('\0', '\n', ' ', '\t');
        return long.TryParse(digits, CultureInfo.InvariantCulture, out long signed)
            ? unchecked((ulong)signed)
            : ulong.TryParse(digits, CultureInfo.InvariantCulture, out ulong value) ? value : null;
    }
}
