using System.Diagnostics;
using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>What is turned on the machine is turned back.</summary>
public sealed class MachineTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("shmcheck-machine-");

    private string JournalPath => Path.Combine(_root.FullName, "journal");

    private string LockPath => Path.Combine(_root.FullName, "lock");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void A_journal_is_undone_from_the_last_action_to_the_first()
    {
        string knob = Make("knob", "7");
        var journal = new KnobJournal(JournalPath);
        journal.Add(new UndoAction.WriteFile(knob, "7"));
        File.WriteAllText(knob, "8");
        journal.Add(new UndoAction.WriteFile(knob, "8"));
        File.WriteAllText(knob, "9");
        journal.UndoAll();
        Assert.Equal("7", File.ReadAllText(knob));
        Assert.False(File.Exists(JournalPath));
    }

    [Fact]
    public void What_a_killed_process_left_behind_is_repaired_by_the_next()
    {
        string knob = Make("knob", "text with spaces");
        string made = Make("made", "");
        var killed = new KnobJournal(JournalPath);
        killed.Add(new UndoAction.WriteFile(knob, "text with spaces"));
        killed.Add(new UndoAction.DeleteFile(made));
        File.WriteAllText(knob, "turned");
        Assert.Equal(
            [$"delete {made}", $"write {knob} text with spaces"],
            KnobJournal.Repair(JournalPath));
        Assert.Equal("text with spaces", File.ReadAllText(knob));
        Assert.False(File.Exists(made));
        Assert.Empty(KnobJournal.Repair(JournalPath));
    }

    [Fact]
    public void After_a_reboot_only_files_are_left_to_undo()
    {
        string knob = Make("knob", "turned by the machine");
        string made = Make("made", "");
        File.WriteAllText(
            JournalPath, $"shmcheck journal 1\nanother-boot\nwrite {knob} 7\ndelete {made}\n");
        Assert.Equal([$"delete {made}"], KnobJournal.Repair(JournalPath));
        Assert.Equal("turned by the machine", File.ReadAllText(knob));
    }

    [Theory]
    [InlineData("")]
    [InlineData("shmcheck journal 1")]
    [InlineData("something else\nboot\ndelete KNOB\n")]
    [InlineData("shmcheck journal 1\nboot\nnonsense\ndelete\nend x y\n")]
    public void A_damaged_journal_undoes_nothing_and_goes(string text)
    {
        string knob = Make("knob", "7");
        File.WriteAllText(JournalPath, text.Replace("KNOB", knob, StringComparison.Ordinal));
        Assert.Empty(KnobJournal.Repair(JournalPath));
        Assert.True(File.Exists(knob));
        Assert.False(File.Exists(JournalPath));
    }

    [Fact]
    public void An_action_is_read_as_it_was_written()
    {
        UndoAction[] all =
        [
            new UndoAction.WriteFile("/proc/sys/vm/x", "1 2 3"), new UndoAction.StopSwap("/dev/z"),
            new UndoAction.ResetZram("zram7"), new UndoAction.DeleteFile("/a b"),
            new UndoAction.EndProcess(12, "345"),
        ];
        Assert.Equal(all[..3], all[..3].Select(action => UndoAction.Parse(action.ToString()!)));
        Assert.Equal(all[4], UndoAction.Parse(all[4].ToString()));
        Assert.Equal("delete /a b", all[3].ToString());
    }

    [Fact]
    public void A_process_is_ended_but_not_another_one_with_its_pid()
    {
        using Process process = Process.Start("sleep", "60");
        UndoAction.EndProcess action = UndoAction.EndProcess.Of(process.Id);
        Assert.False((action with { StartTime = "1" }).Undo());
        Assert.False(process.HasExited);
        Assert.True(action.Undo());
        Assert.True(process.WaitForExit(5000));
        Assert.False(action.Undo());
    }

    [Fact]
    public async Task Who_finds_the_machine_locked_waits_until_it_is_free()
    {
        MachineLock first = MachineLock.Take(LockPath, TimeSpan.Zero);
        Task<MachineLock> second = Task.Run(
            () => MachineLock.Take(LockPath, TimeSpan.FromSeconds(30)));
        Assert.NotSame(second, await Task.WhenAny(second, Task.Delay(300)));
        Assert.Equal($"{Environment.ProcessId}", MachineLock.HolderOf(LockPath));
        first.Dispose();
        using MachineLock taken = await second;
        Assert.NotNull(taken);
    }

    [Fact]
    public void Who_has_waited_long_enough_is_refused_with_the_name_of_the_holder()
    {
        using MachineLock first = MachineLock.Take(LockPath, TimeSpan.Zero);
        var refused = Assert.Throws<SystemUnavailableException>(
            () => MachineLock.Take(LockPath, TimeSpan.FromMilliseconds(200)));
        Assert.Contains($"pid {Environment.ProcessId}", refused.Message);
    }

    [Fact]
    public void Who_needs_the_machine_as_it_is_shares_it_with_others_who_do()
    {
        using MachineLock first = MachineLock.Share(LockPath, TimeSpan.Zero);
        MachineLock second = MachineLock.Share(LockPath, TimeSpan.Zero);
        Assert.Equal($"{Environment.ProcessId}", MachineLock.HolderOf(LockPath));
        Assert.Throws<SystemUnavailableException>(
            () => MachineLock.Take(LockPath, TimeSpan.Zero));
        second.Dispose();
        Assert.Throws<SystemUnavailableException>(
            () => MachineLock.Take(LockPath, TimeSpan.Zero));
        first.Dispose();
        using MachineLock taken = MachineLock.Take(LockPath, TimeSpan.Zero);
        Assert.Throws<SystemUnavailableException>(
            () => MachineLock.Share(LockPath, TimeSpan.Zero));
    }

    [Fact]
    public void A_lock_that_was_given_back_has_no_holder()
    {
        Assert.Null(MachineLock.HolderOf(LockPath));
        MachineLock.Take(LockPath, TimeSpan.Zero).Dispose();
        Assert.Null(MachineLock.HolderOf(LockPath));
    }

    [Theory]
    [InlineData("6.18.44-fc-v669", KernelProfile.Linux6_18)]
    [InlineData("7.3.4", KernelProfile.Linux6_18)]
    [InlineData("6.17.0", KernelProfile.Linux6_12)]
    [InlineData("6.12.117+deb12-cloud-amd64", KernelProfile.Linux6_12)]
    [InlineData("6.1.0-56-cloud-amd64", KernelProfile.Linux6_1)]
    [InlineData("5.15.0", KernelProfile.Linux5_14)]
    [InlineData("5.14", KernelProfile.Linux5_14)]
    public void A_kernel_follows_its_own_profile_or_the_nearest_below(
        string release, KernelProfile profile) =>
        Assert.Equal(profile, LinuxFeatures.ProfileOf(release));

    private string Make(string name, string text)
    {
        string path = Path.Combine(_root.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
