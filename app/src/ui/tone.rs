//! A sound that something is new.

/// Sounds once, or twice and higher for what is urgent. A browser that its user has not touched yet stays silent.
pub fn ring(urgent: bool) {
    let Ok(context) = web_sys::AudioContext::new() else { return };
    for number in 0..=i32::from(urgent) {
        let (Ok(tone), Ok(volume)) = (context.create_oscillator(), context.create_gain()) else { return };
        let begin = context.current_time() + f64::from(number) * 0.18;
        volume.gain().set_value(0.05);
        tone.frequency().set_value(660.0 + 220.0 * f32::from(u8::from(number > 0)));
        let _ = tone.connect_with_audio_node(&volume).and_then(|_| volume.connect_with_audio_node(&context.destination()));
        let _ = tone.start_with_when(begin).and_then(|()| tone.stop_with_when(begin + 0.14));
    }
}
