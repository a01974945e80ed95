using System.Globalization;

namespace ShmCheck.Harness.Ledgers;

/// <summary>Version of a Linux kernel.</summary>
/// <param name="Major">6 of 6.18.44.</param>
/// <param name="Minor">18 of 6.18.44.</param>
/// <param name="Patch">44 of 6.18.44; none for any of 6.18.</param>
public readonly record struct KernelVersion(int Major, int Minor, int? Patch = null)
{
    /// <summary>Reads a version, or a release as uname shows it; what stands behind the numbers
    /// does not matter.</summary>
    /// <param name="text">For instance <c>6.18</c> or <c>6.18.44-rc1</c>.</param>
    /// <param name="version">The version.</param>
    public static bool TryParse(string text, out KernelVersion version)
    {
        string numbers = string.Concat(
            text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.')).TrimEnd('.');
        string[] parts = numbers.Split('.');
        int[] read = [.. parts.Select(Number)];
        bool valid = parts.Length is 2 or 3 && read.All(number => number >= 0);
        version = valid
            ? new KernelVersion(read[0], read[1], parts.Length == 3 ? read[2] : null) : default;
        return valid;
    }

    /// <inheritdoc/>
    public override string ToString() => Patch is { } patch
        ? string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}.{patch}")
        : string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static int Number(string text) => int.TryParse(
        text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1;
}

/// <summary>Kernel versions from one to another, both included; a bound without a patch number
/// includes all patches of it.</summary>
/// <param name="First">The first version.</param>
/// <param name="Last">The last version.</param>
public readonly record struct KernelRange(KernelVersion First, KernelVersion Last)
{
    /// <summary>Whether a version lies in the range. One without a patch number does when some
    /// patch of it does.</summary>
    public bool Contains(KernelVersion version) =>
        Order(version, int.MaxValue).CompareTo(Order(First, 0)) >= 0
        && Order(version, 0).CompareTo(Order(Last, int.MaxValue)) <= 0;

    /// <inheritdoc/>
    public override string ToString() => First == Last ? $"{First}" : $"{First}..{Last}";

    private static (int, int, int) Order(KernelVersion version, int anyPatch) =>
        (version.Major, version.Minor, version.Patch ?? anyPatch);
}
